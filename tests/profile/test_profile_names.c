#include "check.h"
#include "profile_builder.h"

static vmp_profile_builder *
open_builder(void)
{
    vmp_profile_builder *b = NULL;
    vmp_process_id process;
    vmp_profile_process facts = {.pid = 1, .interval_ns = 10};
    CHECK_INT(vmp_profile_builder_new(&b, false), 0);
    CHECK_INT(vmp_profile_builder_process(b, &facts, &process), 0);
    CHECK_INT(process.i, 1);
    return b;
}

static vmp_profile *
finish(vmp_profile_builder *b)
{
    vmp_profile *p = NULL;
    CHECK_INT(vmp_profile_builder_finish(&b, 0, false, &p), 0);
    CHECK(b == NULL);
    return p;
}

static vmp_string_id
string(vmp_profile_builder *b, const char *text)
{
    vmp_string_id id = {99};
    CHECK_INT(vmp_profile_builder_string(b, vmp_str_from(text), &id), 0);
    return id;
}

static vmp_code_id
code(vmp_profile_builder *b, const char *name, const char *file, int32_t first_line)
{
    vmp_code_id id = {99};
    vmp_string_id none = {0};
    CHECK_INT(vmp_profile_builder_code(
                  b, VMP_PROFILE_PYTHON, string(b, name), none, string(b, file), first_line, &id),
        0);
    return id;
}

static vmp_location_id
location(vmp_profile_builder *b, vmp_profile_location l)
{
    vmp_location_id id = {99};
    CHECK_INT(vmp_profile_builder_location(b, &l, &id), 0);
    return id;
}

static vmp_stack_id
stack(vmp_profile_builder *b, vmp_stack_id parent, vmp_location_id at)
{
    vmp_stack_id id = {99};
    CHECK_INT(vmp_profile_builder_stack(b, parent, at, &id), 0);
    return id;
}

TEST(row_0_of_every_table_is_none)
{
    vmp_profile *p = finish(open_builder());
    vmp_location_id frames[1];
    CHECK_INT(p->string_count, 1);
    CHECK_INT(p->function_count, 1);
    CHECK_INT(p->code_count, 1);
    CHECK_INT(p->location_count, 1);
    CHECK_INT(p->stack_count, 1);
    CHECK_INT(p->thread_count, 1);
    CHECK_INT(p->process_count, 2);
    CHECK_INT(p->strings[0].n, 0);
    CHECK_INT(p->functions[0].kind, VMP_PROFILE_UNKNOWN);
    CHECK_INT(vmp_profile_function_name(p, (vmp_function_id){0}).n, 0);
    CHECK_INT(vmp_profile_stack_root_first(p, (vmp_stack_id){0}, frames, 1), 0);
    CHECK(vmp_profile_meta_get(p, (vmp_process_id){1}, "argv").p == NULL);
    vmp_profile_free(&p);
    CHECK(p == NULL);
    vmp_profile_free(&p);
}

TEST(equal_strings_are_one_and_the_empty_one_is_0)
{
    vmp_profile_builder *b = open_builder();
    vmp_string_id a = string(b, "a");
    CHECK_INT(a.i, 1);
    CHECK_INT(string(b, "b").i, 2);
    CHECK_INT(string(b, "a").i, 1);
    CHECK_INT(string(b, "").i, 0);
    vmp_profile *p = finish(b);
    CHECK_INT(p->string_count, 3);
    CHECK_STR(vmp_profile_string(p, a).p, "a");
    vmp_profile_free(&p);
}

TEST(a_code_object_made_again_is_one_function)
{
    vmp_profile_builder *b = open_builder();
    vmp_code_id first = code(b, "f", "x.py", 3), again = code(b, "f", "x.py", 3);
    vmp_code_id line = code(b, "f", "x.py", 4), file = code(b, "f", "y.py", 3);
    CHECK(first.i != again.i);
    vmp_location_id at = location(b,
        (vmp_profile_location){.kind = VMP_PROFILE_PYTHON, .code = first, .line = 5, .instr = 8});
    CHECK_INT(location(b,
                  (vmp_profile_location){
                      .kind = VMP_PROFILE_PYTHON, .code = again, .line = 5, .instr = 8})
                  .i,
        at.i);
    vmp_profile *p = finish(b);
    CHECK_INT(p->function_count, 4);
    CHECK_INT(p->code_function[first.i].i, p->code_function[again.i].i);
    CHECK(p->code_function[first.i].i != p->code_function[line.i].i);
    CHECK(p->code_function[first.i].i != p->code_function[file.i].i);
    CHECK_INT(p->functions[p->code_function[first.i].i].codes, 2);
    CHECK_INT(p->locations[at.i].code.i, first.i);
    CHECK_INT(p->locations[at.i].function.i, p->code_function[first.i].i);
    vmp_profile_free(&p);
}

TEST(qualified_names_are_shown_and_tell_functions_apart)
{
    vmp_profile_builder *b = open_builder();
    vmp_code_id x, y;
    vmp_string_id name = string(b, "run"), file = string(b, "x.py");
    vmp_profile_builder_code(b, VMP_PROFILE_PYTHON, name, string(b, "A.run"), file, 1, &x);
    vmp_profile_builder_code(b, VMP_PROFILE_PYTHON, name, string(b, "B.run"), file, 1, &y);
    vmp_profile *p = finish(b);
    CHECK_STR(vmp_profile_function_name(p, p->code_function[x.i]).p, "A.run");
    CHECK_STR(vmp_profile_function_name(p, p->code_function[y.i]).p, "B.run");
    vmp_profile_free(&p);
}

TEST(locations_differ_by_every_part)
{
    vmp_profile_builder *b = open_builder();
    vmp_code_id f = code(b, "f", "x.py", 3), g = code(b, "g", "x.py", 3);
    const vmp_profile_location all[] = {
        {.kind = VMP_PROFILE_PYTHON, .code = f},
        {.kind = VMP_PROFILE_PYTHON, .code = g},
        {.kind = VMP_PROFILE_PYTHON, .code = f, .line = 1},
        {.kind = VMP_PROFILE_PYTHON, .code = f, .line = 1, .instr = 1},
        {.kind = VMP_PROFILE_PYTHON, .code = f, .line = 1, .has_columns = true},
        {.kind = VMP_PROFILE_PYTHON, .code = f, .line = 1, .has_columns = true, .end_line = 1},
        {.kind = VMP_PROFILE_PYTHON, .code = f, .line = 1, .has_columns = true, .col = 1},
        {.kind = VMP_PROFILE_PYTHON, .code = f, .line = 1, .has_columns = true, .end_col = 1},
        {.kind = VMP_PROFILE_NATIVE, .code = f, .detail = 1},
        {.kind = VMP_PROFILE_NATIVE, .code = f, .detail = (uint64_t)1 << 32},
        {.kind = VMP_PROFILE_ELIDED, .detail = 1},
        {.kind = VMP_PROFILE_ELIDED, .detail = 2},
    };
    enum { COUNT = sizeof(all) / sizeof(all[0]) };
    for (uint32_t i = 0; i < COUNT; i++)
        CHECK_INT(location(b, all[i]).i, i + 1);
    for (uint32_t i = 0; i < COUNT; i++)
        CHECK_INT(location(b, all[i]).i, i + 1);
    vmp_profile *p = finish(b);
    CHECK_INT(p->locations[COUNT].function.i, p->locations[COUNT - 1].function.i);
    CHECK_INT(p->functions[p->locations[COUNT].function.i].kind, VMP_PROFILE_ELIDED);
    vmp_profile_free(&p);
}

TEST(stacks_share_their_callers)
{
    vmp_profile_builder *b = open_builder();
    vmp_stack_id none = {0};
    vmp_location_id at[3], frames[3];
    for (uint32_t i = 0; i < 3; i++)
        at[i] = location(b, (vmp_profile_location){.kind = VMP_PROFILE_PYTHON, .line = i + 1});
    vmp_stack_id root = stack(b, none, at[0]), child = stack(b, root, at[1]);
    CHECK_INT(stack(b, none, at[0]).i, root.i);
    CHECK_INT(stack(b, root, at[1]).i, child.i);
    CHECK(stack(b, none, at[1]).i != child.i);
    vmp_stack_id leaf = stack(b, child, at[2]);
    vmp_profile *p = finish(b);
    CHECK_INT(vmp_profile_stack_depth(p, leaf), 3);
    CHECK_INT(vmp_profile_stack_root_first(p, leaf, frames, 3), 3);
    for (uint32_t i = 0; i < 3; i++)
        CHECK_INT(frames[i].i, at[i].i);
    CHECK_INT(vmp_profile_stack_root_first(p, leaf, frames, 2), 2);
    CHECK_INT(frames[0].i, at[1].i);
    for (uint32_t i = 1; i < p->stack_count; i++)
        CHECK(p->stack_parent[i].i < i);
    vmp_profile_free(&p);
}

TEST(ids_that_nobody_gave_out_count_as_none)
{
    vmp_profile_builder *b = open_builder();
    vmp_string_id bad = {1000};
    vmp_code_id f;
    CHECK_INT(vmp_profile_builder_code(b, VMP_PROFILE_PYTHON, bad, bad, bad, 1, &f), 0);
    vmp_location_id at = location(
        b, (vmp_profile_location){.kind = VMP_PROFILE_PYTHON, .code = {UINT32_MAX}, .line = 1});
    vmp_stack_id s = stack(b, (vmp_stack_id){UINT32_MAX}, (vmp_location_id){UINT32_MAX});
    vmp_profile_thread thread = {.name = bad, .process = {77}};
    vmp_thread_id id;
    CHECK_INT(vmp_profile_builder_thread(b, &thread, &id), 0);
    vmp_profile_builder_thread_update(b, (vmp_thread_id){1000}, &thread);
    CHECK_INT(vmp_profile_builder_loss(b, vmp_str_from("x"), 1, (vmp_thread_id){1000}), 0);
    vmp_profile *p = finish(b);
    CHECK_INT(p->functions[p->code_function[f.i].i].name.i, 0);
    CHECK_INT(p->locations[at.i].function.i, 0);
    CHECK_INT(p->stack_parent[s.i].i, 0);
    CHECK_INT(p->stack_location[s.i].i, 0);
    CHECK_INT(p->threads[id.i].name.i, 0);
    CHECK_INT(p->threads[id.i].process.i, 1);
    CHECK_INT(p->losses[0].thread.i, 0);
    vmp_profile_free(&p);
}

TEST(a_thread_keeps_its_process_and_takes_its_last_name)
{
    vmp_profile_builder *b = open_builder();
    vmp_profile_thread thread = {.os_tid = 5, .name = string(b, "Thread-1")};
    vmp_profile_process second = {.pid = 2, .interval_ns = 1};
    vmp_process_id process;
    vmp_thread_id id, other;
    CHECK_INT(vmp_profile_builder_thread(b, &thread, &id), 0);
    CHECK_INT(vmp_profile_builder_process(b, &second, &process), 0);
    CHECK_INT(vmp_profile_builder_thread(b, &thread, &other), 0);
    CHECK(other.i != id.i);
    thread.name = string(b, "worker");
    vmp_profile_builder_thread_update(b, id, &thread);
    vmp_profile *p = finish(b);
    CHECK_STR(vmp_profile_string(p, p->threads[id.i].name).p, "worker");
    CHECK_INT(p->threads[id.i].process.i, 1);
    CHECK_INT(p->threads[other.i].process.i, 2);
    vmp_profile_free(&p);
}

TEST(a_repeated_meta_key_replaces_the_value_of_its_process)
{
    vmp_profile_builder *b = open_builder();
    vmp_profile_process second = {.pid = 2, .interval_ns = 1};
    vmp_process_id process;
    vmp_str key = vmp_str_from("host");
    CHECK_INT(vmp_profile_builder_meta(b, key, vmp_str_from("one")), 0);
    CHECK_INT(vmp_profile_builder_meta(b, key, vmp_str_from("two")), 0);
    CHECK_INT(vmp_profile_builder_process(b, &second, &process), 0);
    CHECK_INT(vmp_profile_builder_meta(b, key, vmp_str_from("three")), 0);
    vmp_profile *p = finish(b);
    CHECK_INT(p->meta_count, 2);
    CHECK_STR(vmp_profile_meta_get(p, (vmp_process_id){1}, "host").p, "two");
    CHECK_STR(vmp_profile_meta_get(p, (vmp_process_id){2}, "host").p, "three");
    vmp_profile_free(&p);
}

TEST(a_location_may_be_told_late)
{
    vmp_profile_builder *b = open_builder();
    vmp_location_id first, second;
    vmp_stack_id none = {0};
    CHECK_INT(vmp_profile_builder_location_new(b, &first), 0);
    CHECK_INT(vmp_profile_builder_location_new(b, &second), 0);
    vmp_stack_id at = stack(b, none, second);
    vmp_profile_location l = {
        .kind = VMP_PROFILE_JIT, .code = code(b, "f", "a.py", 1), .line = 5, .col = 9};
    vmp_profile_builder_location_tell(b, second, &l);
    vmp_profile_builder_location_tell(b, (vmp_location_id){99}, &l);
    vmp_profile_builder_location_tell(b, (vmp_location_id){0}, &l);
    vmp_profile *p = finish(b);
    CHECK_INT(p->stack_location[at.i].i, second.i);
    CHECK_INT(p->locations[second.i].kind, VMP_PROFILE_JIT);
    CHECK_STR(vmp_profile_function_name(p, p->locations[second.i].function).p, "f");
    CHECK_INT(p->locations[second.i].line, 5);
    CHECK_INT(p->locations[second.i].col, 0); /* it has no columns */
    CHECK_INT(p->locations[first.i].function.i, 0);
    CHECK_INT(p->locations[0].function.i, 0);
    vmp_profile_free(&p);
}

TEST_MAIN(RUN(row_0_of_every_table_is_none), RUN(equal_strings_are_one_and_the_empty_one_is_0),
    RUN(a_code_object_made_again_is_one_function),
    RUN(qualified_names_are_shown_and_tell_functions_apart), RUN(locations_differ_by_every_part),
    RUN(a_location_may_be_told_late), RUN(stacks_share_their_callers),
    RUN(ids_that_nobody_gave_out_count_as_none),
    RUN(a_thread_keeps_its_process_and_takes_its_last_name),
    RUN(a_repeated_meta_key_replaces_the_value_of_its_process))
