# Debian packages that are needed, and how to get those that are missing. Sourced by tests/run and config/demo/run.
# One package a line in alphabetical order, so that additions merge.
# shellcheck shell=bash disable=SC2034

TO_BUILD="
	cmake
	gcc
	libc6-dev
	libcoap3-dev
	libconfig-dev
	libexpat1-dev
	libidn-dev
	libjansson-dev
	libmodbus-dev
	libmosquitto-dev
	libqrencode-dev
	libsqlite3-dev
	libssl-dev
	libstrophe-dev
	libuv1-dev
	ninja-build
	pkg-config
"
FOR_A_SITE="
	libcoap3-bin
	mbpoll
	mosquitto
	mosquitto-clients
	openssl
	prosody
	python3
	python3-slixmpp
	socat
"
TO_TEST="
	ejabberd
	iproute2
	libcriterion-dev
	systemd
	zbar-tools
"
SERVICES="ejabberd mosquitto prosody"

missing_packages() {
	local package
	for package in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
	done
}

# The servers are wanted as programs. As services they would take the well-known ports now and at every start of the machine.
without_services() {
	local policy=/usr/sbin/policy-rc.d new=""
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && new=yes
	fi
	local status=0
	"$@" || status=$?
	[ -z "$new" ] || rm -f $policy
	return $status
}

disable_services() {
	local service
	command -v systemctl >/dev/null || return 0
	for service in $SERVICES; do
		[[ " $* " != *" $service "* ]] || systemctl disable --quiet "$service" 2>/dev/null || true
	done
}

# need_packages PACKAGE...: installs what is missing when root, says it otherwise. Fails if something is still missing.
need_packages() {
	local missing
	missing=$(missing_packages "$@" | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ]; then
		echo "These Debian packages are missing: $missing" >&2
		echo "Install them with: sudo apt-get install --no-install-recommends $missing" >&2
		return 1
	fi
	echo "Installing $missing"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q || apt-get update -q || return 1
	# shellcheck disable=SC2086
	without_services apt-get install -q -y --no-install-recommends $missing </dev/null || return 1
	# shellcheck disable=SC2086
	disable_services $missing
}
