package org.xfrmbridge.daemon.figures;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * What a bridge has counted until a moment. Times are seconds since the epoch, 0 for never, unless their names say
 * otherwise. There are no keys in it. The JSON of it is what {@code xfrm-bridge stat --sas --json}, {@code top} and the
 * page read.
 *
 * @param epochSeconds when that was
 * @param uptimeMs how long the bridge had been there then: what rates are made of
 * @param place where the bridge stands, for people
 * @param outbound counters of the outbound direction by name, in small letters
 * @param drops packets dropped, by the names that {@code /proc/net/xfrm_stat} has, and "BridgeFault"
 * @param policyCounts by direction, of sockets as "socket_in" and so on
 * @param saPhases how many SAs are in which phase: "valid", "dying", "acquiring", "expired", "error"
 * @param withoutSuccessor how many SAs have reached a soft limit and have none in their place yet
 * @param openAcquires how many SAs packets wait for
 * @param sas those with the most bytes, that one first
 * @param otherSas all others, added up
 * @param tunnels those that have carried most, that one first, also where no SA is left
 * @param policies those used most often, that one first
 * @param otherPolicies how many others there are
 * @param waitingEvents what the datapath has told and the control thread has not looked at
 * @param clients how far those of each front end are behind: "netlink", "pfkey"
 * @param threadCpuSeconds processor time used, by thread; those of the JVM as "jvm"
 * @param collections how often memory was collected, which stops all threads
 * @param collectionSeconds how long that took in all
 */
public record Figures(
        long epochSeconds,
        String place,
        long uptimeMs,
        double lookupsPerPacket,
        Map<String, Long> outbound,
        Map<String, Long> inbound,
        Map<String, Long> drops,
        Map<String, Integer> policyCounts,
        Map<String, Integer> saPhases,
        int withoutSuccessor,
        int openAcquires,
        List<Sa> sas,
        OtherSas otherSas,
        List<Tunnel> tunnels,
        List<PolicyUse> policies,
        int otherPolicies,
        int waitingEvents,
        Map<String, Clients> clients,
        Map<String, Double> threadCpuSeconds,
        long collections,
        double collectionSeconds) {
    static final Gson JSON = new GsonBuilder()
            .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
            .disableHtmlEscaping()
            .create();

    /**
     * One SA.
     *
     * @param direction "in" or "out"; "" if it has carried nothing and nobody said
     * @param spi as {@code ip xfrm state} shows it: 0x and eight digits
     * @param protocol "esp", "ah", "comp"
     * @param algorithm those in use as clients named them, joined by " + "
     * @param encapsulation "4500-&gt;4500" where it is in UDP, else ""
     * @param phase as in {@link Figures#saPhases}
     * @param sequence the last number sent, or the highest that came
     * @param window how many packets may be late; 0 for no window
     * @param left what is left until the hard limits
     */
    public record Sa(
            String direction,
            String source,
            String destination,
            String spi,
            String protocol,
            long reqid,
            String mode,
            String algorithm,
            String encapsulation,
            String phase,
            long addedSeconds,
            long firstUseSeconds,
            long lastUseSeconds,
            long bytes,
            long packets,
            long sequence,
            int window,
            int integrityFailures,
            Left left) {
        /** What names it to people: the address that it is for, and its SPI. */
        public String name() {
            return destination + ' ' + spi;
        }
    }

    /** What is left of limits; null where there is none. */
    public record Left(Long bytes, Long packets, Long seconds) {}

    /** @param count how many, which have carried these bytes and packets */
    public record OtherSas(long count, long bytes, long packets) {}

    /**
     * SAs that follow each other by rekeying, and those that are there at once: of the same ends, protocol and reqid.
     *
     * @param sas how many are there
     * @param bytes that they have carried, with those that went
     */
    public record Tunnel(
            String source, String destination, String protocol, long reqid, int sas, long bytes, long packets) {}

    /**
     * One policy.
     *
     * @param type "main" or "sub"
     * @param uses how many packets were judged by it; those that come in the clear and protected at once may miss a few
     */
    public record PolicyUse(
            long index,
            String direction,
            String type,
            String selector,
            long priority,
            String action,
            int templates,
            long reqid,
            long uses,
            long lastUseSeconds) {}

    /** @param lostEvents what clients were not told, as they do not read */
    public record Clients(int count, long waitingBytes, long lostEvents) {}

    /** @throws IOException if it is not the answer of a bridge of this version */
    public static Figures ofJson(String json) throws IOException {
        try {
            return JSON.fromJson(json, Figures.class);
        } catch (JsonParseException e) {
            throw new IOException("the bridge that runs is of another version: start it again", e);
        }
    }

    /** On one line, with its newline. */
    public String toJson() {
        return JSON.toJson(this) + '\n';
    }
}
