package org.xfrmbridge.daemon.packets;

import com.google.common.net.InetAddresses;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * A packet that somebody asks about, as {@code ip xfrm} has it: {@code 10.1.0.1 10.2.0.1 proto tcp dport 443 dir out}.
 *
 * @param direction out unless it is said
 * @param flow its interface is 0
 */
record FlowWords(Direction direction, Flow flow) {
    private static final int HIGHEST_PORT = 0xffff;

    /** @throws IllegalArgumentException with a sentence for who wrote the words */
    static FlowWords parse(List<String> words) {
        if (words.size() < 2) {
            throw new IllegalArgumentException("name the packet's source and destination: 10.1.0.1 10.2.0.1");
        }
        Flow flow = new Flow();
        Direction direction = Direction.OUT;
        setAddresses(flow, words.get(0), words.get(1));
        Iterator<String> rest = words.subList(2, words.size()).iterator();
        while (rest.hasNext()) {
            String name = rest.next();
            if (!List.of("proto", "sport", "dport", "mark", "dev", "dir").contains(name)) {
                throw new IllegalArgumentException(
                        "\"%s\" is none of proto, sport, dport, mark, dev and dir".formatted(name));
            }
            if (!rest.hasNext()) {
                throw new IllegalArgumentException("say what after \"" + name + '"');
            }
            String value = rest.next();
            switch (name) {
                case "proto" -> flow.protocol = protocol(value);
                case "sport" -> flow.sport = number(name, value, HIGHEST_PORT);
                case "dport" -> flow.dport = number(name, value, HIGHEST_PORT);
                case "mark" -> flow.mark = number(name, value, 0xffff_ffffL);
                case "dev" -> flow.ifindex = device(value);
                default -> direction = direction(value);
            }
        }
        if (flow.protocol == IpProtocol.ANY && (flow.sport | flow.dport) != 0) {
            throw new IllegalArgumentException("say whose ports these are: proto tcp, or udp");
        }
        return new FlowWords(direction, flow);
    }

    /** By its name, as {@code ip xfrm} has it, or by its number. */
    private static int device(String text) {
        try {
            NetworkInterface device = NetworkInterface.getByName(text);
            return device == null ? number("dev", text, Integer.MAX_VALUE) : device.getIndex();
        } catch (SocketException | IllegalArgumentException e) {
            throw new IllegalArgumentException("there is no device " + text + " here", e);
        }
    }

    private static void setAddresses(Flow flow, String source, String destination) {
        Address saddr = address(source);
        Address daddr = address(destination);
        flow.family = AddressFamily.ofText(source);
        if (AddressFamily.ofText(destination) != flow.family) {
            throw new IllegalArgumentException(source + " and " + destination + " are not of one family");
        }
        flow.saddrHigh = saddr.high();
        flow.saddrLow = saddr.low();
        flow.daddrHigh = daddr.high();
        flow.daddrLow = daddr.low();
    }

    static Address address(String text) {
        if (!InetAddresses.isInetAddress(text)) {
            throw new IllegalArgumentException("\"%s\" is no address: write 10.1.0.1 or 2001:db8::1".formatted(text));
        }
        return Address.parse(text);
    }

    static int protocol(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "icmp" -> IpProtocol.ICMP;
            case "tcp" -> IpProtocol.TCP;
            case "udp" -> IpProtocol.UDP;
            case "sctp" -> IpProtocol.SCTP;
            case "gre" -> IpProtocol.GRE;
            case "esp" -> IpProtocol.ESP;
            case "ah" -> IpProtocol.AH;
            case "comp" -> IpProtocol.COMP;
            case "icmp6", "ipv6-icmp", "icmpv6" -> IpProtocol.ICMPV6;
            default -> number("proto", text, 255);
        };
    }

    static Direction direction(String text) {
        return switch (text) {
            case "in" -> Direction.IN;
            case "out" -> Direction.OUT;
            case "fwd" -> Direction.FWD;
            default -> throw new IllegalArgumentException("dir is in, out or fwd, not \"" + text + '"');
        };
    }

    /** Also in hex. */
    static int number(String name, String text, long most) {
        try {
            long number = Long.decode(text);
            if (number >= 0 && number <= most) {
                return (int) number;
            }
        } catch (NumberFormatException e) {
            // Said below, as for one that is too large.
        }
        throw new IllegalArgumentException("%s is a number from 0 to %d, not \"%s\"".formatted(name, most, text));
    }
}
