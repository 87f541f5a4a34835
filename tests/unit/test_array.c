/* array: against a plain model, and its promises about order and retirement. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "engine/vm/array.h"
#include "lang/base/num.h"

struct grave {		/* what was retired, freed at the end */
	struct mem	*mem;
	struct { void *p; size_t n; } dead[4096];
	size_t		 n;
};

static void
bury(void *ctx, void *p, size_t n)
{
	struct grave *g = ctx;

	assert_non_null(p);
	assert_true(g->n < 4096);
	g->dead[g->n].p = p;
	g->dead[g->n++].n = n;
}

static void
empty(struct grave *g)
{
	while (g->n > 0) {
		g->n--;
		mem_free(g->mem, g->dead[g->n].p, g->dead[g->n].n);
	}
}

static struct str
key_of(char *out, size_t room, unsigned k)
{
	int n = snprintf(out, room, "%u", k);

	return str_of(out, (size_t)n);
}

static void
test_values(void **state)
{
	struct mem mem;
	struct grave g = { .mem = &mem };
	struct array a;
	struct array_item *it;

	(void)state;
	mem_init(&mem, 1 << 20, NULL);
	array_init(&a, &mem, false, bury, &g);
	assert_null(array_find(&a, STR_LIT("x")));
	assert_false(array_del(&a, STR_LIT("x")));
	it = array_make(&a, STR_LIT("x"));
	assert_true(str_none(array_item_str(it)) && array_item_str(it).n == 0);
	array_put_str(&a, STR_LIT("x"), STR_LIT("one"));
	assert_int_equal(g.n, 0);
	array_put_str(&a, STR_LIT("x"), STR_LIT("two"));
	assert_int_equal(g.n, 1);
	assert_memory_equal(g.dead[0].p, "one", 3);
	/* a value copied from the very element that it replaces */
	it = array_find(&a, STR_LIT("x"));
	array_put_str(&a, STR_LIT("x"), array_item_str(it));
	assert_true(str_eq(array_item_str(array_find(&a, STR_LIT("x"))),
	    STR_LIT("two")));
	array_put_str(&a, STR_LIT("x"), STR_ERR);
	assert_int_equal(array_item_str(array_find(&a, STR_LIT("x"))).n, 1);
	array_put_str(&a, STR_LIT("x"), STR_EMPTY);
	it = array_find(&a, STR_LIT("x"));
	assert_false(str_none(array_item_str(it)));
	assert_int_equal(array_item_str(it).n, 0);
	/* keys are bytes; the empty one and one with NUL are keys */
	array_put_str(&a, STR_EMPTY, STR_LIT("e"));
	array_put_str(&a, str_of("a\0b", 3), STR_LIT("z"));
	assert_null(array_find(&a, STR_LIT("a")));
	assert_non_null(array_find(&a, str_of("a\0b", 3)));
	assert_non_null(array_find(&a, STR_EMPTY));
	assert_int_equal(a.nlive, 3);
	array_clear(&a);
	assert_int_equal(a.nlive, 0);
	assert_null(array_find(&a, STR_EMPTY));
	array_put_str(&a, STR_LIT("again"), STR_LIT("v"));
	assert_int_equal(a.nlive, 1);
	array_free(&a);
	empty(&g);
	assert_int_equal(mem.used, 0);
}

static void
test_order(void **state)
{
	struct mem mem;
	struct grave g = { .mem = &mem };
	struct array a;
	char text[16];
	unsigned k, want = 3;
	size_t i;

	(void)state;
	mem_init(&mem, 1 << 20, NULL);
	array_init(&a, &mem, true, bury, &g);
	for (k = 0; k < 1000; k++)
		array_make(&a, key_of(text, sizeof text, k))->n = k;
	for (k = 0; k < 1000; k++)
		if (k % 4 != 3)
			assert_true(array_del(&a,
			    key_of(text, sizeof text, k)));
	for (i = 0; i < a.nitem; i++) {
		if (a.item[i].key == NULL)
			continue;
		assert_true(a.item[i].n == want);
		want += 4;
	}
	assert_int_equal(want, 1003);
	array_free(&a);
	empty(&g);
	assert_int_equal(mem.used, 0);
}

/* A queue stays small however much goes through it. */
static void
test_queue(void **state)
{
	struct mem mem;
	struct grave g = { .mem = &mem };
	struct array a;
	char text[16];
	unsigned k;

	(void)state;
	mem_init(&mem, 1 << 20, NULL);
	array_init(&a, &mem, true, bury, &g);
	for (k = 0; k < 200000; k++) {
		array_make(&a, key_of(text, sizeof text, k))->n = k;
		if (k >= 10)
			assert_true(array_del(&a,
			    key_of(text, sizeof text, k - 10)));
		empty(&g);
	}
	assert_int_equal(a.nlive, 10);
	assert_true(a.cap <= 32);
	array_free(&a);
	assert_int_equal(mem.used, 0);
}

/* Random steps against an array of flags. */
static void
test_model(void **state)
{
	enum { KEYS = 300 };
	static double model[KEYS];
	struct mem mem;
	struct grave g = { .mem = &mem };
	struct array a;
	char text[16];
	uint32_t r = 12345;
	unsigned step, k, live = 0;

	(void)state;
	mem_init(&mem, 1 << 20, NULL);
	array_init(&a, &mem, true, bury, &g);
	for (step = 0; step < 300000; step++) {
		struct str key;

		r = r * 1664525 + 1013904223;
		k = (r >> 8) % KEYS;
		key = key_of(text, sizeof text, k);
		if ((r >> 28) < 8) {
			array_make(&a, key)->n = step + 1;
			live += model[k] == 0;
			model[k] = step + 1;
		} else {
			assert_int_equal(array_del(&a, key), model[k] != 0);
			live -= model[k] != 0;
			model[k] = 0;
		}
		assert_int_equal(a.nlive, live);
		r = r * 1664525 + 1013904223;
		k = (r >> 8) % KEYS;
		key = key_of(text, sizeof text, k);
		if (model[k] == 0)
			assert_null(array_find(&a, key));
		else
			assert_true(array_find(&a, key)->n == model[k]);
		empty(&g);
	}
	array_free(&a);
	assert_int_equal(mem.used, 0);
}

/* Whatever allocation is refused, the array is whole and can be freed. */
static void
test_refused(void **state)
{
	struct mem mem;
	struct grave g = { .mem = &mem };
	struct array a;
	struct str value = STR_LIT("a value");
	jmp_buf out;
	volatile size_t limit;
	volatile unsigned k;
	char text[16];

	(void)state;
	for (limit = 0; limit < 6000; limit += 7) {
		mem_init(&mem, limit, &out);
		array_init(&a, &mem, false, bury, &g);
		if (setjmp(out) == 0)
			for (k = 0; k < 30; k++)
				array_put_str(&a,
				    key_of(text, sizeof text, k), value);
		for (k = 0; k < a.nlive; k++)
			assert_non_null(array_find(&a,
			    key_of(text, sizeof text, k)));
		array_free(&a);
		empty(&g);
		assert_int_equal(mem.used, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("array", tests, NULL, NULL);
}
