#include "load_states.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "vec.h"

/* So many of the last samples can still be meant by a `w` that comes. */
enum { KEPT = 1024 };

static const int64_t MAX_NUMBER = (int64_t)1 << 60;

void
vmp_states_fini(vmp_states *s)
{
    free(s->samples);
    *s = (vmp_states){0};
}

/* Takes a number off the front of a text. False: there is none, or it is too large. */
static bool
take_number(vmp_str *text, int64_t *ret_number)
{
    int64_t n = 0;
    size_t i = 0;
    for (; i < text->n && text->p[i] >= '0' && text->p[i] <= '9'; i++) {
        if (n > MAX_NUMBER / 10 - 1)
            return false;
        n = n * 10 + (text->p[i] - '0');
    }
    *text = (vmp_str){text->p + i, text->n - i};
    *ret_number = n;
    return i > 0;
}

static bool
take_char(vmp_str *text, char c)
{
    if (text->n == 0 || text->p[0] != c)
        return false;
    *text = (vmp_str){text->p + 1, text->n - 1};
    return true;
}

bool
vmp_states_begin(vmp_states *s, vmp_str value, uint64_t offset)
{
    int64_t format, place;
    if (!take_number(&value, &format) || format != 1 || !take_char(&value, ' '))
        return false;
    s->on = take_number(&value, &place);
    s->shift = s->on ? (int64_t)offset - place : 0;
    return true;
}

bool
vmp_states_is_full(const vmp_states *s)
{
    return s->count - s->first >= VMP_STATES_WAITING;
}

int
vmp_states_add(vmp_states *s, const vmp_waiting_sample *sample)
{
    if (s->first > s->count / 2) {
        memmove(s->samples, s->samples + s->first, (s->count - s->first) * sizeof(*s->samples));
        s->count -= s->first;
        s->first = 0;
    }
    if (VMP_VEC_RESERVE(s->samples, s->cap, s->count + 1) < 0)
        return -VMP_ENOMEM;
    s->samples[s->count++] = *sample;
    return 0;
}

/* The first sample that waits and ends at or behind a byte. */
static size_t
find(const vmp_states *s, int64_t byte)
{
    size_t low = s->first, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((int64_t)s->samples[middle].end < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool
can_warm_up(const vmp_waiting_sample *sample)
{
    /* The stack of machine code is gone when the JIT traces or compiles. */
    return sample->kind == VMP_PROFILE_PYTHON && !sample->asleep;
}

/* Some of the samples before `end` were taken while the JIT worked: spreads them. None
 * is looked at for a second time, so that a log cannot ask for more than it has samples. */
static void
spread(vmp_states *s, size_t end, uint64_t n, uint64_t of)
{
    size_t from = end - s->first > of ? end - (size_t)of : s->first;
    size_t fresh = find(s, (int64_t)s->spread_to + 1);
    uint64_t candidates = 0, due;
    if (from < fresh)
        from = fresh;
    if (from >= end)
        return;
    s->spread_to = s->samples[end - 1].end;
    for (size_t i = from; i < end; i++)
        candidates += can_warm_up(&s->samples[i]);
    if (n > candidates)
        n = candidates;
    due = candidates / 2; /* so that one of two is not always the second */
    for (size_t i = from; i < end; i++) {
        if (!can_warm_up(&s->samples[i]))
            continue;
        due += n;
        if (due >= candidates) {
            due -= candidates;
            s->samples[i].kind = VMP_PROFILE_WARM_UP;
        }
    }
}

int
vmp_states_tell(vmp_states *s, vmp_str value)
{
    int64_t place = s->shift, step, n, of;
    while (value.n > 0) {
        char letter = value.p[0];
        value = (vmp_str){value.p + 1, value.n - 1};
        if (!take_number(&value, &step) || step > MAX_NUMBER - (place > 0 ? place : 0))
            return -VMP_ECORRUPT;
        place += step;
        size_t i = find(s, place);
        bool ends_there = i < s->count && (int64_t)s->samples[i].end == place;
        if (letter == 'm' || letter == 'M') {
            if (ends_there)
                s->samples[i].kind = letter == 'm' ? VMP_PROFILE_GC_MINOR : VMP_PROFILE_GC_MAJOR;
        } else if (letter == 's') {
            if (ends_there)
                s->samples[i].asleep = true;
        } else if (letter == 'w') {
            if (!take_char(&value, ',') || !take_number(&value, &n) || !take_char(&value, ',') ||
                !take_number(&value, &of))
                return -VMP_ECORRUPT;
            spread(s, i + ends_there, (uint64_t)n, (uint64_t)of);
        } else {
            return -VMP_ECORRUPT;
        }
        if (!take_char(&value, ' '))
            return -VMP_ECORRUPT;
    }
    return 0;
}

size_t
vmp_states_ready(const vmp_states *s)
{
    size_t waiting = s->count - s->first;
    return waiting > KEPT ? waiting - KEPT : 0;
}
