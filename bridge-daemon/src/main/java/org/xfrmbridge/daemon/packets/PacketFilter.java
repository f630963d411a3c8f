package org.xfrmbridge.daemon.packets;

import com.google.common.net.InetAddresses;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.xfrmbridge.datapath.PacketRecord;
import org.xfrmbridge.datapath.PacketRecord.Passage;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * Which packets somebody wants to see, in the words of tcpdump and ip xfrm: {@code src 10.1.0.0/16 and proto tcp and
 * port 443}, {@code spi 0xc1a2b3c4 or reqid 5}, {@code not ( icmp or drop )}. Words that stand beside each other are
 * joined by "and". Addresses are those of the packet, and of the SAs that it goes through.
 */
final class PacketFilter {
    private final List<String> words;
    private int next;

    private PacketFilter(List<String> words) {
        this.words = words;
    }

    /**
     * All packets for no words.
     *
     * @throws IllegalArgumentException with a sentence for who wrote the words
     */
    static Predicate<PacketRecord> parse(List<String> given) {
        List<String> words = new ArrayList<>();
        for (String word : given) {
            // As one argument or several, and with parentheses that stand against a word.
            words.addAll(
                    List.of(word.replace("(", " ( ").replace(")", " ) ").strip().split("\\s+")));
        }
        words.removeIf(String::isEmpty);
        if (words.isEmpty()) {
            return packet -> true;
        }
        PacketFilter filter = new PacketFilter(words);
        Predicate<PacketRecord> whole = filter.either();
        if (filter.next < words.size()) {
            throw new IllegalArgumentException("\"%s\" is one too many".formatted(words.get(filter.next)));
        }
        return whole;
    }

    private Predicate<PacketRecord> either() {
        Predicate<PacketRecord> either = both();
        while (take("or") || take("||")) {
            either = either.or(both());
        }
        return either;
    }

    private Predicate<PacketRecord> both() {
        Predicate<PacketRecord> both = one();
        while (next < words.size() && !List.of("or", "||", ")").contains(words.get(next))) {
            if (!take("and")) {
                take("&&");
            }
            both = both.and(one());
        }
        return both;
    }

    private Predicate<PacketRecord> one() {
        if (take("not") || take("!")) {
            return one().negate();
        }
        if (take("(")) {
            Predicate<PacketRecord> inside = either();
            if (!take(")")) {
                throw new IllegalArgumentException("a parenthesis is not closed");
            }
            return inside;
        }
        return primitive(word("a word is missing at the end"));
    }

    private Predicate<PacketRecord> primitive(String name) {
        return switch (name) {
            case "src", "dst" -> endOrPort(name.equals("src"), !name.equals("src"));
            case "host", "net" -> end(true, true);
            case "port" -> port(true, true);
            case "sport" -> port(true, false);
            case "dport" -> port(false, true);
            case "proto" -> protocol(FlowWords.protocol(valueOf(name)));
            case "tcp", "udp", "icmp", "icmp6", "sctp", "gre", "esp", "ah", "comp" ->
                protocol(FlowWords.protocol(name));
            case "ip" -> family(AddressFamily.INET);
            case "ip6" -> family(AddressFamily.INET6);
            case "spi" -> spi(FlowWords.number(name, valueOf(name), 0xffff_ffffL));
            case "reqid" -> reqid(FlowWords.number(name, valueOf(name), 0xffff_ffffL));
            case "policy" -> policy(FlowWords.number(name, valueOf(name), 0xffff_ffffL));
            case "mark" -> mark(FlowWords.number(name, valueOf(name), 0xffff_ffffL));
            case "dir" -> direction(FlowWords.direction(valueOf(name)));
            case "in", "out", "fwd" -> direction(FlowWords.direction(name));
            case "drop" -> PacketRecord::isDropped;
            default -> reason(name);
        };
    }

    private Predicate<PacketRecord> endOrPort(boolean source, boolean destination) {
        if (take("port")) {
            return port(source, destination);
        }
        if (!take("host")) {
            take("net");
        }
        return end(source, destination);
    }

    private Predicate<PacketRecord> end(boolean source, boolean destination) {
        String text = word("an address is missing at the end");
        int slash = text.indexOf('/');
        String number = slash < 0 ? text : text.substring(0, slash);
        if (!InetAddresses.isInetAddress(number)) {
            throw new IllegalArgumentException(
                    "\"%s\" is no address: write 10.1.0.1, 10.1.0.0/16 or 2001:db8::/32".formatted(text));
        }
        Address address = Address.parse(number);
        int family = AddressFamily.ofText(number);
        int most = AddressFamily.bits(family);
        int bits = slash < 0 ? most : FlowWords.number("a prefix length", text.substring(slash + 1), most);
        return packet -> ends(packet, family, source, destination).anyMatch(each -> each.sharesPrefix(address, bits));
    }

    private static Stream<Address> ends(PacketRecord packet, int family, boolean source, boolean destination) {
        Stream.Builder<Address> ends = Stream.builder();
        Flow flow = packet.flow();
        if (flow != null && flow.family == family) {
            add(ends, source ? flow.saddr() : null, destination ? flow.daddr() : null);
        }
        for (Passage passage : packet.passages()) {
            StateSpec spec = passage.state().spec();
            if (spec.family() == family) {
                add(
                        ends,
                        source ? spec.saddr().only(family) : null,
                        destination ? spec.id().daddr().only(family) : null);
            }
        }
        return ends.build();
    }

    private static void add(Stream.Builder<Address> ends, Address source, Address destination) {
        if (source != null) {
            ends.add(source);
        }
        if (destination != null) {
            ends.add(destination);
        }
    }

    private Predicate<PacketRecord> port(boolean source, boolean destination) {
        int port = FlowWords.number("port", valueOf("port"), 0xffff);
        return packet -> packet.flow() != null
                && IpProtocol.hasPorts(packet.flow().protocol)
                && (source && packet.flow().sport == port || destination && packet.flow().dport == port);
    }

    private static Predicate<PacketRecord> protocol(int number) {
        return packet -> packet.flow() != null && packet.flow().protocol == number
                || packet.passages().stream()
                        .anyMatch(passage -> passage.state().id().protocol() == number);
    }

    private static Predicate<PacketRecord> family(int number) {
        return packet -> packet.flow() != null && packet.flow().family == number;
    }

    private static Predicate<PacketRecord> spi(int number) {
        return packet -> packet.named() != 0 && packet.spi() == number
                || packet.passages().stream()
                        .anyMatch(passage -> passage.state().id().spi() == number);
    }

    private static Predicate<PacketRecord> reqid(int number) {
        return packet -> packet.passages().stream()
                        .anyMatch(passage -> passage.state().spec().reqid() == number)
                || packet.policies().stream()
                        .flatMap(policy -> policy.spec().templates().stream())
                        .anyMatch(template -> template.reqid() == number);
    }

    private static Predicate<PacketRecord> policy(int index) {
        return packet ->
                packet.policies().stream().anyMatch(policy -> policy.spec().index() == index);
    }

    private static Predicate<PacketRecord> mark(int number) {
        return packet -> packet.flow() != null && packet.flow().mark == number;
    }

    private static Predicate<PacketRecord> direction(Direction direction) {
        return packet -> packet.direction() == direction;
    }

    /** A name of xfrm_stat. */
    private static Predicate<PacketRecord> reason(String name) {
        if (!name.startsWith("Xfrm")) {
            throw new IllegalArgumentException(
                    ("\"%s\" is none of src, dst, host, net, port, sport, dport, proto, tcp, udp, icmp, spi, reqid, "
                                    + "policy, mark, dir, in, out, fwd, drop, and, or, not")
                            .formatted(name));
        }
        return packet -> packet.cause() != null
                && name.substring("Xfrm".length())
                        .toLowerCase(Locale.ROOT)
                        .equals(packet.cause().reason().label().toLowerCase(Locale.ROOT));
    }

    private boolean take(String word) {
        boolean is = next < words.size() && words.get(next).equals(word);
        next += is ? 1 : 0;
        return is;
    }

    private String valueOf(String name) {
        return word("say what after \"" + name + '"');
    }

    private String word(String otherwise) {
        if (next == words.size()) {
            throw new IllegalArgumentException(otherwise);
        }
        return words.get(next++);
    }
}
