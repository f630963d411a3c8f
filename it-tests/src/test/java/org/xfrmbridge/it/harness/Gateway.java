package org.xfrmbridge.it.harness;

/**
 * One end of a topology.
 *
 * @param host where bridge and IKE daemon run; its device {@link #DEVICE} leads to the other site
 * @param client where protected traffic starts and ends: the host itself, or a machine behind it
 * @param outer addresses of the host on the wire
 * @param inner addresses of the client that only ESP may carry
 */
public record Gateway(Namespace host, Namespace client, Addresses outer, Addresses inner) {
    public static final String DEVICE = "eth0";

    /** An IPv4 and an IPv6 address; {@code v6} is null where a topology has none. */
    public record Addresses(String v4, String v6) {
        public String of(Family family) {
            return family == Family.IPV4 ? v4 : v6;
        }
    }

    /** An address family, with what differs between the two in command lines. */
    public enum Family {
        IPV4(32),
        IPV6(128);

        private final int bits;

        Family(int bits) {
            this.bits = bits;
        }

        /** The prefix that holds just {@code address}. */
        public String host(String address) {
            return address + "/" + bits;
        }

        public String label() {
            return this == IPV4 ? "4" : "6";
        }
    }
}
