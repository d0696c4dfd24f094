/* test_sha256.c: the examples of FIPS 180-4 and of NIST, and pieces of any length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "sha256.h"

static const char *hash(const char *bytes, size_t n, size_t piece)
{
	static char text[2 * SHA256_LEN + 1];
	uint8_t digest[SHA256_LEN];
	struct sha256 h;

	sha256_begin(&h);
	for (size_t i = 0; i < n; i += piece)
		sha256_add(&h, bytes + i, n - i < piece ? n - i : piece);
	sha256_end(&h, digest);
	for (int i = 0; i < SHA256_LEN; i++)
		sprintf(text + 2 * i, "%02x", digest[i]);
	return text;
}

static void the_standards_examples(void **s)
{
	static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	static char million[1000000];

	(void)s;
	assert_string_equal(hash("", 0, 1),
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_string_equal(hash("abc", 3, 3),
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_string_equal(hash(two, 56, 56),
			    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(million, 'a', sizeof(million));
	assert_string_equal(hash(million, sizeof(million), 65536),
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void pieces_make_no_difference(void **s)
{
	char bytes[200], whole[65];

	(void)s;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		strcpy(whole, hash(bytes, n, sizeof(bytes)));
		assert_string_equal(hash(bytes, n, 1), whole);
		assert_string_equal(hash(bytes, n, 63), whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_standards_examples),
		cmocka_unit_test(pieces_make_no_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
