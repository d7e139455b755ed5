// All numbers that people read are made here.

/** A share (0 .. 1) as a percentage. */
export function formatPercent(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.005) return "<0.01 %";
  return `${percent.toFixed(percent >= 99.95 || percent === 0 ? 0 : percent >= 10 ? 1 : 2)} %`;
}

/** Both ends of an interval of a share, without the sign of percent. */
export function formatInterval(low: number, high: number): string {
  const digits = high >= 0.1 ? 1 : 2;
  return `${(low * 100).toFixed(digits)}–${(high * 100).toFixed(digits)}`;
}

/** A change of a share in percentage points, with its sign. */
export function formatPoints(change: number): string {
  const points = Math.abs(change * 100);
  const text = points.toFixed(points === 0 || points >= 9.995 ? 1 : 2);
  return `${change < 0 ? "−" : "+"}${text}`;
}

/** Without its sign: a share, or a time. */
export function formatAmount(amount: number, seconds: boolean): string {
  return seconds ? formatSeconds(amount) : formatPercent(amount);
}

/** A change of either with its sign; of a share in percentage points, which it does not say. */
export function formatChange(change: number, seconds: boolean): string {
  return seconds ? `${change < 0 ? "−" : "+"}${formatSeconds(Math.abs(change))}` : formatPoints(change);
}

/** What it does not say. */
export const changeUnit = (seconds: boolean): string => (seconds ? "" : " points");

export function formatSeconds(seconds: number): string {
  if (seconds === 0) return "0 s";
  if (seconds < 0.0009995) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 0.9995) return `${(seconds * 1e3).toPrecision(3)} ms`;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 599.5) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds - minutes * 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A moment, as exact as steps of this size need. */
export function formatTime(seconds: number, step: number): string {
  return `${seconds.toFixed(Math.max(0, Math.min(6, Math.ceil(-Math.log10(step) - 1e-9))))} s`;
}

/** A whole number with narrow spaces between groups of three digits. */
export function formatCount(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** A number of things, `one` of which is called so. */
export const counted = (count: number, one: string): string => `${formatCount(count)} ${one}${count === 1 ? "" : "s"}`;

export function formatKilobytes(kilobytes: number): string {
  if (kilobytes < 1024) return `${Math.round(kilobytes)} KiB`;
  const mebibytes = kilobytes / 1024;
  if (mebibytes < 1024) return `${mebibytes.toPrecision(3)} MiB`;
  return `${(mebibytes / 1024).toPrecision(3)} GiB`;
}

export function formatDate(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toLocaleString(undefined, {
    dateStyle: "medium",
    timeStyle: "short",
  });
}
