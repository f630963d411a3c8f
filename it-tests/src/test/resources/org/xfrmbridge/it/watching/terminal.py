"""terminal.py KEYS COMMAND...: runs a command on a terminal of 160 columns and 30 lines, presses a key every second and
a half, and prints all that came to the terminal. Its exit code is that of the command."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

keys, command = sys.argv[1], sys.argv[2:]
process, terminal = pty.fork()
if process == 0:
    os.environ["TERM"] = "xterm"
    os.execvp(command[0], command)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 160, 0, 0))
pressed = time.monotonic() + 5
while True:
    if select.select([terminal], [], [], 0.2)[0]:
        try:
            output = os.read(terminal, 65536)
        except OSError:
            break
        if not output:
            break
        sys.stdout.buffer.write(output)
    if keys and time.monotonic() > pressed:
        os.write(terminal, keys[0].encode())
        keys = keys[1:]
        pressed = time.monotonic() + 1.5
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
