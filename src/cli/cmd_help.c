#include "cli.h"
#include <string.h>

#include "term_text.h"

static void
put_commands(vmp_out *o)
{
    for (const vmp_cli_command *c = vmp_cli_commands; c->name; c++) {
        vmp_out head;
        vmp_out_init(&head, -1);
        vmp_out_printf(&head, "  vmprof %s %s", c->name, c->arguments);
        vmp_out_str(o, vmp_out_view(&head));
        vmp_out_fill(o, ' ', head.n < 36 ? 36 - head.n : 2);
        vmp_out_printf(o, "%s\n", c->summary);
        vmp_out_drop(&head, o);
    }
}

int
vmp_cli_help(int argc, char **argv)
{
    if (argc > 1) {
        const vmp_cli_command *command = vmp_cli_find(argv[1]);
        static char option[] = "--help";
        char *args[] = {argv[1], option, NULL};
        if (strcmp(argv[1], option) == 0)
            return vmp_cli_help(1, argv);
        if (!command)
            return vmp_cli_usage(NULL, "no command '%s'", argv[1]);
        return command->run == vmp_cli_help ? vmp_cli_help(1, argv) : command->run(2, args);
    }
    vmp_cli_output o;
    vmp_cli_output_open(&o, VMP_TERM_COLOR_AUTO);
    vmp_out_text(&o.out, "usage: vmprof COMMAND [arguments]\n\n"
                         "Shows where Python programs spent their time.\n\n");
    put_commands(&o.out);
    vmp_out_text(&o.out, "\nA log is made by: python -m vmprof -o LOG program.py\n"
                         "Options of a command: vmprof COMMAND --help\n");
    return vmp_cli_output_close(&o, 0);
}
