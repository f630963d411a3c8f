package org.xfrmbridge.it.firewalls;

import java.util.List;
import org.xfrmbridge.lab.BridgeProcess;
import org.xfrmbridge.lab.Command;

/** What docs/firewall.md tells its readers to say. */
final class Documentation {
    private Documentation() {}

    /**
     * The commands of one section, as they stand there.
     *
     * @param begin what they begin with
     */
    static List<String> commands(String section, String begin) {
        String text = Command.text(BridgeProcess.program().resolveSibling("docs/firewall.md"));
        String heading = "\n## " + section + "\n";
        int from = text.indexOf(heading);
        int to = text.indexOf("\n## ", from + heading.length());
        List<String> commands = text.substring(from, to)
                .lines()
                .filter(line -> line.startsWith("    " + begin))
                .map(String::strip)
                .toList();
        if (commands.isEmpty()) {
            throw new IllegalArgumentException("docs/firewall.md, " + section + ", has no " + begin);
        }
        return commands;
    }
}
