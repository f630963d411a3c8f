package org.xfrmbridge.it.ipxfrm;

import java.util.ArrayList;
import java.util.List;

/** Compares two transcripts command by command, so that one report shows all that differs. */
final class Differences {
    private Differences() {}

    /** What differs, as text; empty if nothing does. Both must be transcripts of the same list of commands. */
    static String between(List<String> expected, List<String> actual) {
        List<String> expectedBlocks = blocks(expected);
        List<String> actualBlocks = blocks(actual);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < Math.max(expectedBlocks.size(), actualBlocks.size()); i++) {
            String kernel = i < expectedBlocks.size() ? expectedBlocks.get(i) : "(no such command)\n";
            String bridge = i < actualBlocks.size() ? actualBlocks.get(i) : "(no such command)\n";
            if (!kernel.equals(bridge)) {
                text.append("\n--- kernel\n")
                        .append(kernel)
                        .append("--- here\n")
                        .append(bridge);
            }
        }
        return text.toString();
    }

    private static List<String> blocks(List<String> lines) {
        List<String> blocks = new ArrayList<>();
        StringBuilder block = new StringBuilder();
        for (String line : lines) {
            if (line.startsWith("$ ") && !block.isEmpty()) {
                blocks.add(block.toString());
                block.setLength(0);
            }
            block.append(line).append('\n');
        }
        blocks.add(block.toString());
        return blocks;
    }
}
