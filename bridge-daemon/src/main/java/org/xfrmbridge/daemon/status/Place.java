package org.xfrmbridge.daemon.status;

import java.util.List;

/**
 * Where a bridge is attached, or was when it ended, and what it has there.
 *
 * @param attachment for people: "in the stack", "in front of eth0"
 * @param tap the device where packets leave and enter the host's stack
 * @param takesAll whether all packets of its device come to it, and none passes without it; else those that policies
 *     select
 * @param runOptions of {@code run}, with which it is taken up again; empty for none
 * @param namespaceCookie of its network namespace; 0 before Linux 5.14
 * @param parts what is its own on the host
 * @param covered devices whose packets it looks at wherever they are sent
 * @param uncovered the others
 * @param encapsulationPorts where ESP in UDP arrives
 */
public record Place(
        String attachment,
        String tap,
        boolean takesAll,
        String runOptions,
        long namespaceCookie,
        List<Part> parts,
        List<String> covered,
        List<String> uncovered,
        List<Integer> encapsulationPorts) {
    /** What does not pass without a bridge, for people. */
    public String closedWhenEnded() {
        return takesAll ? "nothing passes " + tap : "what they select does not pass";
    }

    String fateOfUncovered() {
        return takesAll
                ? "what goes there is not looked at"
                : "what policies select and is sent there all the same is dropped";
    }

    boolean isWhole() {
        return parts.stream().allMatch(Part::isWhole);
    }
}
