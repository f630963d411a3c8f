package org.xfrmbridge.explain;

import java.util.Locale;
import org.xfrmbridge.datapath.PacketRecord.Passage;
import org.xfrmbridge.db.Spd;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.PolicySpec;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/** Names of things as {@code ip xfrm} and tcpdump have them. Never a key. */
public final class Words {
    private static final double NS_PER_SECOND = 1e9;

    private Words() {}

    /** {@code tcp 10.1.0.5:40000 -> 10.2.0.1:443 (60 bytes)}. */
    static String packet(Flow flow, int bytes) {
        if (flow == null) {
            return "a packet that could not be read (" + bytes + " bytes)";
        }
        StringBuilder text = new StringBuilder(protocol(flow.protocol)).append(' ');
        text.append(end(flow.saddr(), flow, flow.sport)).append(" -> ");
        text.append(end(flow.daddr(), flow, flow.dport));
        if (bytes > 0) {
            text.append(" (").append(bytes).append(" bytes)");
        }
        return text.toString();
    }

    /** With the port, if the flow has some. */
    public static String end(Address address, Flow flow, int port) {
        String text = address.toText(flow.family);
        if (!IpProtocol.hasPorts(flow.protocol)) {
            return text;
        }
        return (flow.family == AddressFamily.INET6 ? "[" + text + "]" : text) + ":" + port;
    }

    public static String protocol(int number) {
        return switch (number) {
            case IpProtocol.ANY -> "ip";
            case IpProtocol.ICMP -> "icmp";
            case IpProtocol.IGMP -> "igmp";
            case IpProtocol.IPIP -> "ipip";
            case IpProtocol.TCP -> "tcp";
            case IpProtocol.UDP -> "udp";
            case IpProtocol.IPV6 -> "ipv6";
            case IpProtocol.GRE -> "gre";
            case IpProtocol.ESP -> "esp";
            case IpProtocol.AH -> "ah";
            case IpProtocol.ICMPV6 -> "ipv6-icmp";
            case IpProtocol.COMP -> "comp";
            case IpProtocol.SCTP -> "sctp";
            default -> "proto-" + number;
        };
    }

    public static String spi(int spi) {
        return "0x%08x".formatted(spi);
    }

    static String direction(Enum<?> direction) {
        return direction.name().toLowerCase(Locale.ROOT);
    }

    static String phase(State.Phase phase) {
        return phase == State.Phase.ERROR ? "given up by its IKE daemon" : direction(phase);
    }

    static String mode(Mode mode) {
        return switch (mode) {
            case ROUTE_OPTIMIZATION -> "ro";
            case IN_TRIGGER -> "in_trigger";
            default -> direction(mode);
        };
    }

    /** {@code out policy 129 (priority 100, src 10.1.0.0/16 dst 10.2.0.0/16)}. */
    static String policy(Policy policy) {
        PolicySpec spec = policy.spec();
        return "%s policy %d (priority %s%s, %s%s)"
                .formatted(
                        direction(spec.direction()),
                        Integer.toUnsignedLong(spec.index()),
                        Integer.toUnsignedString(spec.priority()),
                        spec.type() == PolicySpec.Type.SUB ? ", ptype sub" : "",
                        selector(spec.selector()) + mark(spec.mark()),
                        Spd.isSocketPolicy(policy) ? ", of a socket" : "");
    }

    static String selector(Selector selector) {
        int family = selector.family();
        StringBuilder text = new StringBuilder("src ")
                .append(selector.saddr().toText(family))
                .append('/')
                .append(selector.saddrPrefix())
                .append(" dst ")
                .append(selector.daddr().toText(family))
                .append('/')
                .append(selector.daddrPrefix());
        if (selector.protocol() != 0) {
            text.append(" proto ").append(protocol(selector.protocol()));
        }
        text.append(port(" sport ", selector.sport(), selector.sportMask()));
        text.append(port(" dport ", selector.dport(), selector.dportMask()));
        return selector.ifindex() == 0
                ? text.toString()
                : text.append(" dev ").append(selector.ifindex()).toString();
    }

    private static String port(String name, int port, int mask) {
        if (mask == 0) {
            return "";
        }
        return name + port + (mask == 0xffff ? "" : " mask 0x%x".formatted(mask));
    }

    static String mark(Mark mark) {
        return mark.isNone() ? "" : " mark 0x%x/0x%x".formatted(mark.value(), mark.mask());
    }

    /** {@code esp reqid 5 mode tunnel 192.0.2.1 -> 192.0.2.2}. */
    static String template(Template template) {
        StringBuilder text = new StringBuilder(protocol(template.id().protocol()));
        if (template.id().spi() != 0) {
            text.append(" spi ").append(spi(template.id().spi()));
        }
        text.append(" reqid ").append(template.reqid()).append(" mode ").append(mode(template.mode()));
        if (template.mode().hasOuterHeader()) {
            text.append(' ').append(template.saddr().toText(template.family()));
            text.append(" -> ").append(template.id().daddr().toText(template.family()));
        }
        return text.toString();
    }

    /** {@code SA 0xc1000001 (esp, 192.0.2.1 -> 192.0.2.2, reqid 5, tunnel)}. */
    static String state(State state) {
        StateSpec spec = state.spec();
        String spi =
                spec.id().spi() == 0 ? "the larval SA" : "SA " + spi(spec.id().spi());
        return "%s (%s, %s -> %s, reqid %d, %s)"
                .formatted(
                        spi,
                        protocol(spec.id().protocol()),
                        spec.saddr().toText(spec.family()),
                        spec.id().daddr().toText(spec.family()),
                        spec.reqid(),
                        mode(spec.mode()));
    }

    static String encapsulation(Encapsulation encapsulation) {
        return encapsulation == null
                ? "without UDP"
                : "in UDP from port %d to %d".formatted(encapsulation.sport(), encapsulation.dport());
    }

    /** What it has carried, and of what; empty for no limits. */
    static String limits(Passage passage) {
        Lifetime lifetime = passage.state().spec().lifetime();
        String packets = limit(passage.packets(), lifetime.softPackets(), lifetime.hardPackets(), "packets");
        String bytes = limit(passage.bytes(), lifetime.softBytes(), lifetime.hardBytes(), "bytes");
        String hard = lifetime.hardAddSeconds() == 0 ? "" : ", hard limit " + lifetime.hardAddSeconds() + " s";
        String soft = lifetime.softAddSeconds() == 0 ? "" : ", soft limit " + lifetime.softAddSeconds() + " s";
        return packets + ", " + bytes + hard + soft;
    }

    private static String limit(long used, long soft, long hard, String unit) {
        String text = Long.toUnsignedString(used);
        text += hard == Lifetime.INFINITE ? " " : " of " + Long.toUnsignedString(hard) + " ";
        return text + unit + (soft == Lifetime.INFINITE ? "" : " (soft " + Long.toUnsignedString(soft) + ")");
    }

    static String seconds(long ns) {
        return "%.1f s".formatted(ns / NS_PER_SECOND);
    }
}
