"""Stops threads of a process, as if no processor were theirs, until standard input ends.

Arguments: the process, the name of its threads, and how many of that name, the eldest first. "holds" says that all of
them have stopped. A thread of a JVM is stopped in a system call alone: the JVM waits for no such one.
"""
import ctypes
import os
import sys
import time

SEIZE, INTERRUPT, DETACH, ALL_THREADS = 0x4206, 0x4207, 17, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4


def trace(request, thread):
    if libc.ptrace(request, thread, 0, 0):
        sys.exit(f"ptrace: {os.strerror(ctypes.get_errno())}")


def hold(thread):
    trace(SEIZE, thread)
    trace(INTERRUPT, thread)
    os.waitpid(thread, ALL_THREADS)
    with open(f"{tasks}/{thread}/syscall") as call:
        in_call = not call.read().startswith("-1 ")
    if not in_call:
        trace(DETACH, thread)
    return in_call


tasks = f"/proc/{sys.argv[1]}/task"
# The kernel lists threads in the order in which they began.
named = [int(thread) for thread in os.listdir(tasks) if open(f"{tasks}/{thread}/comm").read().strip() == sys.argv[2]]
for thread in named[:int(sys.argv[3])]:
    while not hold(thread):
        time.sleep(0.01)
print("holds", flush=True)
sys.stdin.read()
