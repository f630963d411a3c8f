package org.xfrmbridge.daemon.packets;

import java.util.List;

/**
 * What a capture has seen since it was asked last.
 *
 * @param lost how many packets were let go, as nobody read fast enough
 * @param keys lines of Wireshark's {@code esp_sa} for the SAs of these packets; none unless they were asked for
 */
public record CaptureBatch(List<Captured> packets, long lost, List<String> keys) {
    /**
     * One packet.
     *
     * @param epochMicros when
     * @param comment what became of it, for people
     * @param inner the frame on the host's side, base64; null if there was none
     * @param outer the same on the network's side
     */
    public record Captured(long epochMicros, String comment, String inner, String outer) {}
}
