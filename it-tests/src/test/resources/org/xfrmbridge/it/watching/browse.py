"""browse.py URL SCREENSHOT: opens a page in Chromium. Each line of its input is an expression of JavaScript, and is
answered by a line of JSON: its value in that page. In the end a picture is taken."""

import base64
import json
import os
import subprocess
import sys
import tempfile
import time

url, screenshot = sys.argv[1:]
profile = tempfile.mkdtemp()
# Chromium reads commands from descriptor 3 and writes answers to 4.
commands_in, commands = os.pipe()
answers, answers_out = os.pipe()


def descriptors():
    os.dup2(commands_in, 13)
    os.dup2(answers_out, 14)
    os.dup2(13, 3)
    os.dup2(14, 4)


browser = subprocess.Popen(
    ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
     "--no-first-run", "--disable-background-networking", "--window-size=1200,860", "--remote-debugging-pipe",
     "--user-data-dir=" + profile, "about:blank"],
    preexec_fn=descriptors, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
os.close(commands_in)
os.close(answers_out)
replies = os.fdopen(answers, "rb")
count = 0
session = None


def ask(method, **parameters):
    global count
    count += 1
    message = {"id": count, "method": method, "params": parameters}
    if session:
        message["sessionId"] = session
    os.write(commands, json.dumps(message).encode() + b"\0")
    while True:
        text = b""
        while not text.endswith(b"\0"):
            byte = replies.read(1)
            if not byte:
                sys.exit("chromium has ended")
            text += byte
        reply = json.loads(text[:-1])
        if reply.get("id") == count:
            return reply.get("result", {})


def evaluate(expression):
    result = ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
    value = result.get("result", {})
    return value.get("value", value.get("description"))


try:
    target = ask("Target.createTarget", url=url)["targetId"]
    session = ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    while evaluate("location.href + ' ' + document.readyState") != url + " complete":
        time.sleep(0.1)
    for line in sys.stdin:
        print(json.dumps(evaluate(line)), flush=True)
    with open(screenshot, "wb") as picture:
        picture.write(base64.b64decode(ask("Page.captureScreenshot", format="png")["data"]))
finally:
    browser.terminate()
    browser.wait()
    time.sleep(0.1)
    subprocess.run(["rm", "-rf", profile], check=False)
