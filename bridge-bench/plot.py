#!/usr/bin/env python3
"""plot.py RESULTS... > plot.svg: cost against number of entries, as stress.sh and kernel.sh printed it.

Time to add a policy, to update one, and to find the policy of a packet, both axes logarithmic. The kernel has no cache
of flows and does the last for every packet; the bridge does it for the first one of a flow, so that a whole packet of a
known flow stands beside it. Readable on white and on black.
"""
import math
import sys

WIDTH, HEIGHT, LEFT, TOP, PANEL, GAP = 1000, 430, 70, 40, 250, 85
BRIDGE, KERNEL = "#2f81f7", "#d9730d"
DASHES = {"exact": "", "networks": "8 4", "prefixed": "2 4"}


def read(paths):
    """(what, who, kind) -> {entries: ns}"""
    found = {}
    for path in paths:
        for line in open(path):
            words = line.split()
            if len(words) < 5 or words[1] not in ("kernel", "many-policies"):
                continue
            who, kind, entries = "kernel" if words[1] == "kernel" else "bridge", words[2], int(words[3])
            if words[0] == "changes":
                found.setdefault(("add", who, kind), {})[entries] = 1e9 / float(words[4])
                found.setdefault(("update", who, kind), {})[entries] = 1e9 / float(words[5])
            elif words[0] == "classify":
                found.setdefault(("find", who, kind), {})[entries] = float(words[4])
            elif words[0] == "packets" and words[4] == "quiet":
                found.setdefault(("known", who, kind), {})[entries] = float(words[6]) * 1000
    return found


class Panel:
    def __init__(self, x, title, curves):
        self.x, self.title, self.curves = x, title, curves
        values = [v for points in curves.values() for v in points.values() if v > 0]
        sizes = [n for points in curves.values() for n in points]
        self.low, self.high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        self.first, self.last = math.log10(min(sizes)), math.log10(max(sizes))

    def at(self, entries, ns):
        x = self.x + PANEL * (math.log10(entries) - self.first) / (self.last - self.first)
        y = TOP + 320 * (1 - (math.log10(ns) - self.low) / (self.high - self.low))
        return x, y

    def draw(self):
        out = [f'<text x="{self.x}" y="{TOP - 14}" class="title">{self.title}</text>']
        for power in range(self.low, self.high + 1):
            _, y = self.at(10 ** self.first, 10 ** power)
            out.append(f'<line x1="{self.x}" x2="{self.x + PANEL}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
            label = f'{10 ** (power % 3)} {("ns", "us", "ms")[power // 3]}'
            out.append(f'<text x="{self.x - 8}" y="{y + 4:.1f}" class="end">{label}</text>')
        for power in range(round(self.first), round(self.last) + 1):
            x, _ = self.at(10 ** power, 10 ** self.low)
            out.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{TOP + 320}" class="grid"/>')
            out.append(f'<text x="{x:.1f}" y="{TOP + 338}" class="middle">{"1k 10k 100k 1M".split()[power - 3]}</text>')
        for (what, who, kind), points in self.curves.items():
            places = [self.at(n, v) for n, v in sorted(points.items()) if v > 0]
            colour = KERNEL if who == "kernel" else BRIDGE
            width = 4 if what == "known" else 2
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="{width}" '
                    f'stroke-dasharray="{DASHES[kind]}"/>')
            out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places]
        return out


def legend():
    out, x, y = [], LEFT, HEIGHT - 18
    for who, colour in (("xfrm-bridge", BRIDGE), ("kernel", KERNEL)):
        out.append(f'<rect x="{x}" y="{y - 10}" width="14" height="10" fill="{colour}"/>'
                f'<text x="{x + 20}" y="{y}">{who}</text>')
        x += 100
    for kind, text in (("exact", "two hosts"), ("networks", "/24 to /24"), ("prefixed", "random prefixes")):
        out.append(f'<line x1="{x}" x2="{x + 40}" y1="{y - 5}" y2="{y - 5}" stroke="#888" stroke-width="2" '
                f'stroke-dasharray="{DASHES[kind]}"/>')
        out.append(f'<text x="{x + 48}" y="{y}">{text}</text>')
        x += 160
    out.append(f'<line x1="{x}" x2="{x + 40}" y1="{y - 5}" y2="{y - 5}" stroke="{BRIDGE}" stroke-width="4"/>')
    out.append(f'<text x="{x + 48}" y="{y}">a packet of a known flow, all of it</text>')
    return out


def main():
    found = read(sys.argv[1:])
    panels = []
    for title, wanted in (("Add a policy", ["add"]), ("Update one", ["update"]),
            ("Find the policy of a packet", ["find", "known"])):
        curves = {key: points for key, points in found.items()
                if key[0] in wanted and (key[0] != "known" or key[2] == "exact")}
        panels.append(Panel(LEFT + len(panels) * (PANEL + GAP), title, curves))
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'font-family="sans-serif" font-size="12">')
    print("<style>text{fill:#777}.title{font-size:15px;font-weight:bold}.end{text-anchor:end}"
            ".middle{text-anchor:middle}.grid{stroke:#888;stroke-opacity:.3}</style>")
    for panel in panels:
        print("\n".join(panel.draw()))
    print("\n".join(legend()))
    print("</svg>")


if __name__ == "__main__":
    main()
