/* Recursive descent over the text: either = both ("or" both)*, both = one ("and"
 * one)*, one = "not" one | "(" either ")" | word | word "(" name ")". */
#include "jitlog_query.h"

#include <stdlib.h>

#include "vec.h"

enum { MAX_DEPTH = 64 }; /* of parentheses and nots */

enum node_kind { LOOPS, BRIDGES, FUNCTION, OPERATION, NOT, AND, OR };

typedef struct node {
    enum node_kind kind;
    vmp_str name;
    uint32_t a, b; /* what it is made of: earlier nodes */
} node;

struct vmp_jitlog_query {
    node *nodes; /* each behind those it is made of, so the last is the whole */
    size_t count, cap;
};

typedef struct parser {
    vmp_jitlog_query *q;
    vmp_str text;
    size_t at;
    unsigned depth;
    vmp_err *err;
} parser;

static int
fail(const parser *ps, size_t at, const char *what)
{
    return vmp_err_set(ps->err, VMP_EINVAL, 0, at + 1, "the query, column %zu: %s", at + 1, what);
}

static void
skip_spaces(parser *ps)
{
    while (ps->at < ps->text.n && (ps->text.p[ps->at] == ' ' || ps->text.p[ps->at] == '\t'))
        ps->at++;
}

static bool
take_char(parser *ps, char c)
{
    skip_spaces(ps);
    if (ps->at == ps->text.n || ps->text.p[ps->at] != c)
        return false;
    ps->at++;
    return true;
}

/* The word that is next, which stays; empty if there is none. */
static vmp_str
next_word(parser *ps)
{
    skip_spaces(ps);
    size_t n = 0;
    while (ps->at + n < ps->text.n &&
           ((ps->text.p[ps->at + n] >= 'a' && ps->text.p[ps->at + n] <= 'z') ||
               ps->text.p[ps->at + n] == '_'))
        n++;
    return (vmp_str){ps->text.p + ps->at, n};
}

static bool
take_word(parser *ps, const char *word)
{
    if (!vmp_str_equal(next_word(ps), vmp_str_from(word)))
        return false;
    ps->at += strlen(word);
    return true;
}

static int
add(parser *ps, node n, uint32_t *ret_node)
{
    vmp_jitlog_query *q = ps->q;
    if (VMP_VEC_RESERVE(q->nodes, q->cap, q->count + 1) < 0)
        return vmp_err_set(ps->err, VMP_ENOMEM, 0, 0, "%s", vmp_err_text(VMP_ENOMEM));
    q->nodes[q->count] = n;
    *ret_node = (uint32_t)q->count++;
    return 0;
}

static int
take_name(parser *ps, node n, uint32_t *ret_node)
{
    if (!take_char(ps, '('))
        return fail(ps, ps->at, "a ( with a name in quotes is missing");
    skip_spaces(ps);
    char quote = ps->at < ps->text.n ? ps->text.p[ps->at] : '\0';
    if (quote != '"' && quote != '\'')
        return fail(ps, ps->at, "a name in quotes is missing");
    size_t start = ps->at + 1;
    const char *end = memchr(ps->text.p + start, quote, ps->text.n - start);
    if (!end)
        return fail(ps, ps->at, "this quote is not closed");
    n.name = (vmp_str){ps->text.p + start, (size_t)(end - ps->text.p) - start};
    ps->at = start + n.name.n + 1;
    if (!take_char(ps, ')'))
        return fail(ps, ps->at, "a ) is missing");
    return add(ps, n, ret_node);
}

static int take_either(parser *ps, uint32_t *ret_node);

static int
take_one(parser *ps, uint32_t *ret_node)
{
    static const char *const known =
        "here must be loops, bridges, func(\"...\"), op(\"...\"), not or (";
    if (ps->depth >= MAX_DEPTH)
        return fail(ps, ps->at, "nested too deeply");
    ps->depth++;
    int rc;
    if (take_word(ps, "not") || take_char(ps, '~')) {
        uint32_t a = 0;
        rc = take_one(ps, &a);
        if (rc == 0)
            rc = add(ps, (node){.kind = NOT, .a = a}, ret_node);
    } else if (take_char(ps, '(')) {
        rc = take_either(ps, ret_node);
        if (rc == 0 && !take_char(ps, ')'))
            rc = fail(ps, ps->at, "a ) is missing");
    } else if (take_word(ps, "loops")) {
        rc = add(ps, (node){.kind = LOOPS}, ret_node);
    } else if (take_word(ps, "bridges")) {
        rc = add(ps, (node){.kind = BRIDGES}, ret_node);
    } else if (take_word(ps, "func") || take_word(ps, "function")) {
        rc = take_name(ps, (node){.kind = FUNCTION}, ret_node);
    } else if (take_word(ps, "op")) {
        rc = take_name(ps, (node){.kind = OPERATION}, ret_node);
    } else {
        rc = fail(ps, ps->at, known);
    }
    ps->depth--;
    return rc;
}

static int
take_both(parser *ps, uint32_t *ret_node)
{
    int rc = take_one(ps, ret_node);
    while (rc == 0 && (take_word(ps, "and") || take_char(ps, '&'))) {
        uint32_t b = 0;
        rc = take_one(ps, &b);
        if (rc == 0)
            rc = add(ps, (node){.kind = AND, .a = *ret_node, .b = b}, ret_node);
    }
    return rc;
}

static int
take_either(parser *ps, uint32_t *ret_node)
{
    int rc = take_both(ps, ret_node);
    while (rc == 0 && (take_word(ps, "or") || take_char(ps, '|'))) {
        uint32_t b = 0;
        rc = take_both(ps, &b);
        if (rc == 0)
            rc = add(ps, (node){.kind = OR, .a = *ret_node, .b = b}, ret_node);
    }
    return rc;
}

int
vmp_jitlog_query_new(vmp_jitlog_query **ret_q, vmp_str text, vmp_err *err)
{
    enum { MAX_BYTES = 4096 }; /* a chain of "or" nests as deep as it is long when it is asked */
    vmp_jitlog_query *q = calloc(1, sizeof(*q));
    parser ps = {.q = q, .text = text, .err = err};
    uint32_t whole = 0;
    int rc;
    if (!q)
        return vmp_err_set(err, VMP_ENOMEM, 0, 0, "%s", vmp_err_text(VMP_ENOMEM));
    rc = text.n > MAX_BYTES ? fail(&ps, MAX_BYTES, "too long") : take_either(&ps, &whole);
    skip_spaces(&ps);
    if (rc == 0 && ps.at < text.n)
        rc = fail(&ps, ps.at, "here must be and, or, or the end");
    if (rc == 0)
        *ret_q = q;
    else
        vmp_jitlog_query_free(&q);
    return rc;
}

void
vmp_jitlog_query_free(vmp_jitlog_query **q)
{
    if (!*q)
        return;
    free((*q)->nodes);
    free(*q);
    *q = NULL;
}

static bool
has_entry(const vmp_jitlog *j, uint32_t trace, const node *n)
{
    for (int stage = 0; stage < VMP_JITLOG_STAGE_COUNT; stage++) {
        for (uint32_t i = j->traces[trace].stages[stage].first; i; i = j->entries[i].next) {
            const vmp_jitlog_entry *e = &j->entries[i];
            uint32_t string = n->kind == OPERATION ? e->name : j->points[e->point].function;
            bool is_kind = e->kind == (n->kind == OPERATION ? VMP_JITLOG_OP : VMP_JITLOG_POINT);
            vmp_str text = vmp_jitlog_string(j, string);
            if (is_kind && (n->name.n == 0 || memmem(text.p, text.n, n->name.p, n->name.n)))
                return true;
        }
    }
    return false;
}

static bool
holds(const vmp_jitlog_query *q, const node *n, const vmp_jitlog *j, uint32_t trace)
{
    switch (n->kind) {
    case LOOPS:
        return j->traces[trace].type == VMP_JITLOG_LOOP;
    case BRIDGES:
        return j->traces[trace].type == VMP_JITLOG_BRIDGE;
    case FUNCTION:
    case OPERATION:
        return has_entry(j, trace, n);
    case NOT:
        return !holds(q, &q->nodes[n->a], j, trace);
    case AND:
        return holds(q, &q->nodes[n->a], j, trace) && holds(q, &q->nodes[n->b], j, trace);
    case OR:
        return holds(q, &q->nodes[n->a], j, trace) || holds(q, &q->nodes[n->b], j, trace);
    }
    return false;
}

bool
vmp_jitlog_query_matches(const vmp_jitlog_query *q, const vmp_jitlog *j, uint32_t trace)
{
    return holds(q, &q->nodes[q->count - 1], j, trace);
}
