package org.xfrmbridge.explain;

import java.util.List;

/**
 * What became of a packet, in words and numbers for people and programs; the form of {@code --json}. No keys. What is
 * not known or does not apply is null or 0.
 *
 * @param time when, in words of the caller's; null for a question
 * @param direction {@code out}, {@code in} or {@code fwd}
 * @param verdict {@code dropped}, {@code protected}, {@code opened} or {@code passed}
 * @param reason the name of the counter in /proc/net/xfrm_stat
 * @param cause what exactly it was dropped for: a constant of DropCause, in small letters
 * @param sentence what happened
 * @param advice what to look at
 * @param decision {@code cached}, {@code resolved}, or {@code none} if no policy was asked
 * @param passedOver policies that go before those, each with why it is not for the packet
 * @param wants templates of the policies, each with what serves it or is missing
 * @param mtuBytes of the way outside
 * @param limitBytes what the packet could be long
 */
public record PacketReport(
        String time,
        String direction,
        String verdict,
        String reason,
        String cause,
        String sentence,
        String advice,
        Packet packet,
        String decision,
        List<Policy> policies,
        List<String> passedOver,
        List<String> wants,
        List<State> states,
        String spi,
        int mtuBytes,
        int limitBytes) {
    /** The innermost packet that was read. Ports are type and code of ICMP. */
    public record Packet(
            String src,
            String dst,
            String proto,
            int sport,
            int dport,
            long mark,
            int ifindex,
            int lengthBytes,
            String text) {}

    /** A policy that rules it. */
    public record Policy(
            long index,
            String dir,
            long priority,
            String ptype,
            String action,
            String selector,
            boolean ofSocket,
            String text) {}

    /**
     * A State that it went through, or ended at.
     *
     * @param sequence the packet's number
     * @param highest number that has come in, and the bits of the window behind that
     * @param limits what it has carried, and of how much
     */
    public record State(
            String spi,
            String proto,
            String src,
            String dst,
            int reqid,
            String mode,
            String sequence,
            long highest,
            int windowBits,
            String limits,
            String text) {}
}
