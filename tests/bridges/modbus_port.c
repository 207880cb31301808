/*
 * What is asked of a serial port's driver in the kernel and a pseudo terminal does not have: the kernel's part is played here, by
 * functions that stand before the C library's.
 */
#include "tests/lib/rig.h"
#include "tests/peers/slave.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

extern const struct bridge_driver driver_modbus_rtu;

TestSuite(modbus_port, .timeout = 30);

enum { TTY_MAJOR = 4, PTY_FIRST = 136, PTY_LAST = 143 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char heard[512]; /* words, in order */
static bool looks_real;

static int hear(const char *word)
{
	pthread_mutex_lock(&lock);
	strncat(heard, word, sizeof(heard) - strlen(heard) - 1);
	pthread_mutex_unlock(&lock);
	return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	va_start(args, request);
	void *argument = va_arg(args, void *);
	va_end(args);
	if (request == TIOCEXCL)
		return hear("exclusive ");
	if (request == TIOCMBIS || request == TIOCMBIC)
		return hear(*(const int *)argument != TIOCM_RTS ? "? " : request == TIOCMBIS ? "up " : "down ");
	if (request == TIOCGRS485) {
		memset(argument, 0, sizeof(struct serial_rs485));
		return 0;
	}
	if (request == TIOCSRS485)
		return hear(((const struct serial_rs485 *)argument)->flags & SER_RS485_ENABLED ? "kernel " : "? ");
	return (int)syscall(SYS_ioctl, fd, request, argument);
}

int fstat(int fd, struct stat *ret)
{
	int result = fstatat(fd, "", ret, AT_EMPTY_PATH);
	bool pty = major(ret->st_rdev) >= PTY_FIRST && major(ret->st_rdev) <= PTY_LAST;
	if (result == 0 && pty && looks_real)
		ret->st_rdev = makedev(TTY_MAJOR, 64);
	return result;
}

int tcdrain(int fd)
{
	(void)fd;
	return hear("drained ");
}

/* What was heard from the opening on until one question was answered. */
static void ask_once(bool real, const char *options, const char *expected)
{
	char text[128];
	struct slave *s = slave_pty();
	looks_real = real;
	heard[0] = '\0';
	snprintf(text, sizeof(text), "device=%s; %s", slave_path(s), options);
	struct rig *rig = rig_new(&driver_modbus_rtu, text);
	struct point *p = rig_point(rig, rig_device(rig, "d", "unit_id=1; addressing=protocol"), "p", TYPE_UINT16,
				    "table=holding; address=1");
	p->poll_ms = 0;
	rig_start(rig);
	RIG_UNTIL(rig, rig->n_up + rig->n_away > 0);
	cr_assert_eq(rig->n_up, 1, "%s", rig->bridge->why.text);
	cr_assert_eq(rig_read(rig, p, NULL), REQUEST_DONE);
	rig_free(rig);
	slave_free(s);
	cr_assert_str_eq(heard, expected, "%s", options);
}

Test(modbus_port, a_port_is_exclusive)
{
	ask_once(true, "rs485=none", "exclusive ");
}

Test(modbus_port, a_pseudo_terminal_is_not_for_it_would_stay_so_when_we_are_killed)
{
	ask_once(false, "rs485=none", "");
}

Test(modbus_port, the_kernel_switches_the_direction_where_told)
{
	ask_once(true, "rs485=kernel", "exclusive kernel ");
}

Test(modbus_port, rts_goes_up_to_send_and_down_when_the_last_bit_has_left)
{
	ask_once(true, "rs485=rts-up", "exclusive down up drained down ");
}

Test(modbus_port, rts_goes_down_to_send_where_the_adapter_is_made_so)
{
	ask_once(true, "rs485=rts-down", "exclusive up down drained up ");
}
