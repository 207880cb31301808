/* The control socket and who misuses it: the gateway is the stage's, the clients are plain sockets on the same loop. */
#include "core/control/control.h"

#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/loop/local.h"
#include "tests/lib/desk.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(control, .timeout = 60);

Test(control, answers_in_lines_and_says_when_it_is_done)
{
	struct desk *d = desk_new(0);
	int fd = desk_connect(d);
	const char *said = desk_ask(d, fd, "{\"word\": \"things\"}\n");
	cr_expect(strstr(said, "\"thing\": \"boiler.temp@things.test\""), "%s", said);
	cr_expect(strstr(said, "\n{\"end\": \"done\"}\n"), "%s", said);
	said = desk_ask(d, fd, "{\"word\": \"status\", \"args\": []}\n");
	cr_expect(strstr(said, "\"ready\": true"), "the same connection asks again: %s", said);
	close(fd);
	desk_free(d);
}

Test(control, takes_a_request_in_pieces_and_several_in_one)
{
	static const char request[] = "{\"word\": \"things\"}\n";
	struct desk *d = desk_new(0);
	int fd = desk_connect(d);
	for (size_t i = 0; i + 1 < sizeof(request); i++) {
		cr_assert_eq(send(fd, request + i, 1, 0), 1);
		desk_turn(d);
	}
	desk_wait(d, fd, "\"end\": \"done\"");
	desk_forget(d);
	send(fd, "{\"word\": \"x\"}\n{\"word\": \"y\"}\n{\"word\": \"things\"}\n", 47, 0);
	const char *said = desk_wait(d, fd, "\"end\": \"done\"");
	cr_expect_eq(desk_count("\"end\": \"failed\"", said), 2, "%s", said);
	close(fd);
	desk_free(d);
}

Test(control, refuses_what_is_no_request_and_goes_on)
{
	static const char *const wrong[] = {
		"\n",
		"nonsense\n",
		"{}\n",
		"[]\n",
		"\"things\"\n",
		"{\"word\": 7}\n",
		"{\"word\": \"things\", \"word\": \"things\"}\n",
		"{\"word\": \"shutdown\"}\n",
		"{\"word\": \"things\", \"args\": \"boiler\"}\n",
		"{\"word\": \"things\", \"args\": [1]}\n",
		"{\"word\": \"things\", \"args\": [\"a\", \"b\"]}\n",
		"{\"word\": \"read\"}\n",
		"{\"word\": \"read\", \"args\": [\"boiler.\\u0000temp\"]}\n",
		"{\"word\": \"read\", \"args\": [\"\xFF\"]}\n",
		"{\"word\": \"log\", \"args\": [\"-1\"]}\n",
		"{\"word\": \"log\", \"args\": [\"1\", \"2\"]}\n",
		"{\"word\": \"log\", \"args\": [\"99999999999999999999\"]}\n",
		"{\"word\": \"friends\", \"args\": [\"nobody\"]}\n",
		"{\"word\": \"watch\", \"args\": [\"boiler.temp\", \"boiler.none\"]}\n",
		"{\"word\": \"reset\", \"args\": [\"none\"]}\n",
		"{\"word\": \"forget\", \"args\": [\"boiler.temp\"]}\n",
		"{\"word\": \"forget\", \"args\": [\"none\"]}\n",
		"{\"word\": \"reload\"}\n",
	};
	struct desk *d = desk_new(0);
	int fd = desk_connect(d);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		const char *said = desk_ask(d, fd, wrong[i]);
		cr_expect(strstr(said, "{\"end\": \"failed\", \"why\": \""), "%s: %s", wrong[i], said);
		cr_expect_not(strstr(said, "\"done\""), "%s", wrong[i]);
	}
	cr_expect(strstr(desk_ask(d, fd, "{\"word\": \"things\"}\n"), "\"done\""));
	close(fd);
	desk_free(d);
}

Test(control, a_deep_request_is_refused)
{
	struct desk *d = desk_new(0);
	int fd = desk_connect(d);
	char deep[LIMIT_CONTROL_LINE];
	memset(deep, '[', sizeof(deep));
	deep[sizeof(deep) - 2] = '\n';
	deep[sizeof(deep) - 1] = '\0';
	cr_expect(strstr(desk_ask(d, fd, deep), "\"failed\""));
	close(fd);
	desk_free(d);
}

Test(control, a_line_that_does_not_end_is_told_so_and_closed)
{
	struct desk *d = desk_new(0);
	int fd = desk_connect(d);
	char piece[4096];
	memset(piece, 'x', sizeof(piece));
	for (int i = 0; i < 256; i++) { /* one MiB */
		if (send(fd, piece, sizeof(piece), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		desk_turn(d);
	}
	cr_expect(strstr(desk_wait(d, fd, "too long"), "\"failed\""));
	desk_wait_end(d, fd);
	cr_expect(list_empty(&d->control.clients));
	desk_free(d);
}

Test(control, also_behind_a_word_that_goes_on)
{
	struct desk *d = desk_new(0);
	int fd = desk_connect(d);
	char piece[4096];
	send(fd, "{\"word\": \"watch\", \"args\": [\"boiler.temp\"]}\n", 44, 0);
	desk_wait(d, fd, "boiler.temp");
	memset(piece, '\n', sizeof(piece));
	for (int i = 0; i < 20 && send(fd, piece, sizeof(piece), MSG_NOSIGNAL | MSG_DONTWAIT) > 0; i++)
		desk_turn(d);
	desk_wait_end(d, fd);
	desk_free(d);
}

Test(control, a_thousand_connections_cost_no_more_than_the_first_few)
{
	enum { ALL = 500 };
	struct desk *d = desk_new(0);
	int fds[ALL];
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < ALL; i++) {
			while ((fds[i] = local_connect(d->path)) < 0) /* the kernel's queue is full */
				desk_turn(d);
		}
		for (int i = 0; i < 50; i++)
			desk_turn(d);
		cr_expect_eq(desk_clients(d), LIMIT_CONTROL_CLIENTS);
		cr_expect(strstr(desk_wait(d, fds[ALL - 1], "\"end\""), "too many"));
		cr_expect(strstr(desk_ask(d, fds[0], "{\"word\": \"things\"}\n"), "\"done\""),
			  "who was there is served");
		for (int i = 0; i < ALL; i++)
			close(fds[i]);
		while (desk_clients(d))
			desk_turn(d);
		desk_forget(d);
	}
	int fd = desk_connect(d);
	cr_expect(strstr(desk_ask(d, fd, "{\"word\": \"things\"}\n"), "\"done\""));
	cr_expect_leq(loop_longest_turn(d->stage->loop), 500);
	close(fd);
	desk_free(d);
}

Test(control, who_never_reads_costs_one_buffer_and_is_dropped)
{
	struct desk *d = desk_new(5000);
	int fd = desk_connect(d);
	send(fd, "{\"word\": \"things\"}\n", 19, 0); /* more than a MiB of answer */
	for (int i = 0; i < 300; i++) {
		desk_turn(d);
		cr_assert_leq(desk_backlog(d), LIMIT_CONTROL_OUT + 8192);
	}
	cr_expect_gt(desk_backlog(d), 0);
	cr_expect_eq(desk_clients(d), 1);
	loop_skip(d->stage->loop, 31000);
	desk_turn(d);
	cr_expect_eq(desk_clients(d), 0);
	cr_expect_leq(loop_longest_turn(d->stage->loop), 500);
	close(fd);
	desk_free(d);
}

Test(control, a_long_list_comes_whole_to_who_reads)
{
	struct desk *d = desk_new(5000);
	int fd = desk_connect(d);
	const char *said = desk_ask(d, fd, "{\"word\": \"things\"}\n");
	cr_expect_eq(desk_count("\"quality\"", said), 5003);
	cr_expect_leq(loop_longest_turn(d->stage->loop), 500);
	close(fd);
	desk_free(d);
}

Test(control, who_says_nothing_or_half_a_word_is_dropped)
{
	struct desk *d = desk_new(0);
	int silent = desk_connect(d), half = desk_connect(d);
	for (int i = 0; i < 7; i++) {
		send(half, "{", 1, MSG_NOSIGNAL);
		loop_skip(d->stage->loop, 5000);
		desk_turn(d);
	}
	cr_expect_eq(desk_clients(d), 0);
	close(silent);
	close(half);
	desk_free(d);
}

Test(control, a_watcher_who_does_not_read_gets_the_newest_value_when_he_does)
{
	struct desk *d = desk_new(0);
	int fd = desk_connect(d);
	send(fd, "{\"word\": \"watch\", \"args\": [\"boiler.temp\"]}\n", 44, 0);
	desk_wait(d, fd, "\"unknown\"");
	for (int i = 0; i < 20000; i++) {
		char number[16];
		snprintf(number, sizeof(number), "%d", i);
		stage_sample(d->stage, "boiler.temp", number);
		if (i % 5 == 0)
			desk_turn(d);
	}
	cr_expect_leq(desk_backlog(d), LIMIT_CONTROL_OUT + 8192);
	loop_skip(d->stage->loop, 1000);
	const char *said = desk_wait(d, fd, "\"value\": \"19999\"");
	cr_expect_lt(desk_count("\"value\"", said), 20000);
	close(fd);
	desk_free(d);
}

Test(control, who_leaves_in_the_middle_leaves_nothing_behind)
{
	static const char *const requests[] = {
		"{\"word\": \"read\", \"args\": [\"boiler.temp\"]}\n",
		"{\"word\": \"write\", \"args\": [\"boiler.set\", \"50\"]}\n",
		"{\"word\": \"watch\", \"args\": [\"boiler.temp\"]}\n",
		"{\"word\": \"log\", \"args\": [\"follow\"]}\n",
		"{\"word\": \"things\"}\n",
		"{\"wo",
	};
	struct desk *d = desk_new(1000);
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		int fd = desk_connect(d);
		send(fd, requests[i], strlen(requests[i]), 0);
		while (desk_clients(d) == 0)
			desk_turn(d);
		desk_turn(d);
		close(fd);
		while (desk_clients(d))
			desk_turn(d);
	}
	while (d->stage->n_asked) /* what was under way ends, and nobody is there to hear it */
		stage_answer(d->stage, REQUEST_DONE, NULL);
	stage_sample(d->stage, "boiler.temp", "3");
	log_info(&d->stage->log, "a line");
	desk_turn(d);
	cr_expect(list_empty(&d->control.operations));
	desk_free(d);
}

Test(control, the_end_of_the_gateway_ends_what_is_under_way)
{
	struct desk *d = desk_new(0);
	int reader = desk_connect(d), watcher = desk_connect(d);
	send(reader, "{\"word\": \"read\", \"args\": [\"boiler.temp\"]}\n", 43, 0);
	send(watcher, "{\"word\": \"watch\", \"args\": [\"boiler.temp\"]}\n", 44, 0);
	while (!d->stage->n_asked)
		desk_turn(d);
	control_close(&d->control);
	desk_wait_end(d, reader);
	desk_wait_end(d, watcher);
	cr_expect_eq(access(d->path, F_OK), -1, "the socket's file is gone");
	desk_free(d);
}

Test(control, the_file_of_a_dead_daemon_is_replaced_and_that_of_a_living_one_is_not)
{
	struct desk *d = desk_new(0);
	struct control other = d->control;
	struct err e;
	struct stat file;
	cr_expect_eq(stat(d->path, &file), 0);
	cr_expect_eq(file.st_mode & 0777, 0660);
	cr_expect_eq(control_open(&other, &e), LOCAL_TAKEN);
	cr_expect(strstr(e.text, "another jidgate answers there"), "%s", e.text);
	control_end(&other);
	int fd = desk_connect(d);
	cr_expect(strstr(desk_ask(d, fd, "{\"word\": \"things\"}\n"), "\"done\""), "the living one was not disturbed");
	close(fd);
	control_close(&d->control);
	int dead = socket(AF_UNIX, SOCK_STREAM, 0); /* as a kill -9 leaves it */
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	memcpy(at.sun_path, d->path, strlen(d->path) + 1);
	cr_assert_eq(bind(dead, (const struct sockaddr *)&at, sizeof(at)), 0);
	close(dead);
	control_end(&d->control);
	cr_expect_eq(control_open(&d->control, &e), 0, "%s", e.text);
	desk_free(d);
}

Test(control, what_is_no_socket_is_left_alone)
{
	struct desk *d = desk_new(0);
	struct err e;
	control_end(&d->control);
	FILE *file = fopen(d->path, "w");
	fputs("precious", file);
	fclose(file);
	cr_expect_eq(control_open(&d->control, &e), LOCAL_FAILED);
	cr_expect(strstr(e.text, "is there and no socket"), "%s", e.text);
	cr_expect_eq(access(d->path, F_OK), 0);
	unlink(d->path);
	desk_free(d);
}

/* In a process of its own: what he is told, as its exit code. member: of root's group, too. */
static int ask_as_nobody(const char *path, bool member)
{
	const gid_t group = getegid();
	pid_t child = fork();
	int status;
	char said[256] = "";
	if (child == 0) {
		if (setgroups(member, &group) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
			_exit(2);
		int fd = local_connect(path);
		if (fd < 0)
			_exit(3);
		fcntl(fd, F_SETFL, 0); /* waits */
		send(fd, "?\n", 2, MSG_NOSIGNAL);
		shutdown(fd, SHUT_WR);
		for (ssize_t n; (n = recv(fd, said + strlen(said), sizeof(said) - strlen(said) - 1, MSG_WAITALL)) > 0;)
			continue;
		_exit(strstr(said, "only root") ? 0 : strstr(said, "not JSON") ? 5 : 4);
	}
	while (waitpid(child, &status, WNOHANG) == 0)
		continue;
	return WEXITSTATUS(status);
}

/* He waits for us while we wait for him. */
static int turn_while_asked(struct desk *d, bool member)
{
	pid_t asker = fork();
	int status = 0;
	if (asker == 0)
		_exit(ask_as_nobody(d->path, member));
	while (waitpid(asker, &status, WNOHANG) == 0)
		desk_turn(d);
	return WEXITSTATUS(status);
}

Test(control, a_stranger_on_the_machine_is_refused_also_where_the_file_lets_him)
{
	struct desk *d = desk_new(0);
	if (geteuid() != 0)
		cr_skip_test("only root can be somebody else");
	cr_expect_eq(ask_as_nobody(d->path, false), 3, "the folder or the file keeps him out");
	chmod(d->path, 0777);
	chmod(d->stage->folder, 0777);
	cr_expect_eq(turn_while_asked(d, false), 0);
	cr_expect_eq(turn_while_asked(d, true), 5, "but a member of the group is heard");
	desk_turn(d);
	cr_expect_eq(desk_clients(d), 0);
	desk_free(d);
}
