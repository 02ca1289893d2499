/*
 * A helper program as a hostile file might leave it behind: it speaks the protocol as far as the
 * mode says (the detector's name), and then lies. Written as a script, because the real one does
 * not lie.
 */
#ifndef CARVED_TESTS_UNIT_HOSTILE_HELPER_H
#define CARVED_TESTS_UNIT_HOSTILE_HELPER_H

static const char hostile_helper[] =
	"#!/usr/bin/env python3\n"
	"import os, signal, socket, struct, sys, time\n"
	"mode = sys.argv[2]\n"
	"def n(*numbers): return b''.join(struct.pack('<Q', x & (2**64 - 1)) for x in numbers)\n"
	"def t(text): return n(len(text)) + text\n"
	"control = socket.socket(fileno=3)\n"
	"control.recv(100000)\n"
	"if mode == 'deaf': time.sleep(1000)\n"
	"if mode == 'gibberish': control.send(b'gibberish')\n"
	"else: control.send(n(2, 1) + t(b'a' * 64) + n(0, 1, 1, 0, 0, 0))\n"
	"def scan(channel):\n"
	"    packet, fds, _, _ = socket.recv_fds(channel, 100000, 1)\n"
	"    number = struct.unpack('<Q', packet[8:16])[0]\n"
	"    def answer(id, outcome, text=b'', detail=b'', mime=b''):\n"
	"        channel.send(n(8, id, outcome) + t(text) + t(detail) + t(mime))\n"
	"    if mode == 'good': answer(number, 6)\n"
	"    elif mode == 'twice': answer(number, 6); answer(number + 1, 6)\n"
	"    elif mode == 'other': answer(number + 1, 6)\n"
	"    elif mode == 'outcome': answer(number, 77)\n"
	"    elif mode == 'control': answer(number, 0, b'a\\x1b[2J')\n"
	"    elif mode == 'json': answer(number, 0, b'', b'{')\n"
	"    elif mode == 'huge': channel.send(b'x' * 150000)\n"
	"    elif mode == 'cut': channel.send(n(8, number))\n"
	"    elif mode == 'segv': os.kill(os.getpid(), signal.SIGSEGV)\n"
	"    elif mode == 'exit': os._exit(5)\n"
	"    elif mode == 'hang': time.sleep(1000)\n"
	"    elif mode == 'fds':\n"
	"        fd = os.open('/dev/zero', os.O_RDONLY)\n"
	"        socket.send_fds(channel, [n(8, number, 6) + t(b'') + t(b'') + t(b'')], [fd] * 20)\n"
	"    os.close(fds[0])\n"
	"while True:\n"
	"    packet, fds, _, _ = socket.recv_fds(control, 100000, 2)\n"
	"    if not packet: break\n"
	"    kind = packet[0]\n"
	"    if kind == 3:\n"
	"        if mode == 'init': control.send(n(4, 1)); continue\n"
	"        if mode == 'fork': control.send(n(4, -11)); continue\n"
	"        if mode == 'long': control.send(b'x' * 150000); continue\n"
	"        pid = os.fork()\n"
	"        if pid == 0:\n"
	"            control.close()\n"
	"            channel = socket.socket(fileno=fds[0])\n"
	"            while True: scan(channel)\n"
	"        os.close(fds[0])\n"
	"        control.send(n(4, pid))\n"
	"    elif kind == 5:\n"
	"        pid, status = os.waitpid(struct.unpack('<Q', packet[8:16])[0], 0)\n"
	"        control.send(n(6, status))\n";

#endif
