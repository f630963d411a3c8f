package org.xfrmbridge.daemon.figures;

import com.google.gson.JsonParseException;
import java.io.IOException;
import java.util.List;

/**
 * Which flows have carried most within the latest second or so, that one first; what the page reads as JSON. Rates are
 * those of samples, and exact where there are few packets.
 *
 * @param seconds of which these are the rates; 0 if nobody has looked until now
 * @param otherFlows how many are left out
 */
public record FlowsReport(double seconds, List<Use> flows, int otherFlows) {
    static final FlowsReport NONE = new FlowsReport(0, List.of(), 0);

    /**
     * One flow.
     *
     * @param source with its port, if it has one
     * @param verdict "protected", "opened", "passed" or "dropped", the latest packet
     * @param spi of the SA nearest to the wire, "" for none
     * @param reqid of that, 0 for none
     * @param policy index of the one that ruled it, 0 for none
     * @param bytesPerSecond of the packets in the clear
     */
    public record Use(
            String direction,
            String protocol,
            String source,
            String destination,
            String verdict,
            String spi,
            long reqid,
            long policy,
            double packetsPerSecond,
            double bytesPerSecond) {}

    String toJson() {
        return Figures.JSON.toJson(this) + '\n';
    }

    /** @throws IOException if it is not the answer of a bridge of this version */
    public static FlowsReport ofJson(String json) throws IOException {
        try {
            return Figures.JSON.fromJson(json, FlowsReport.class);
        } catch (JsonParseException e) {
            throw new IOException("the bridge that runs is of another version: start it again", e);
        }
    }
}
