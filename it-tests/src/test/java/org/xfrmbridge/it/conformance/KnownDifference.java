package org.xfrmbridge.it.conformance;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import org.xfrmbridge.netlink.msg.UsersaInfo;
import org.xfrmbridge.netlink.msg.UserspiInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkReader;
import org.xfrmbridge.netlink.text.MessageText;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;

/**
 * What differs on purpose, or since the kernel is another version or was built without something; docs/differences.md
 * lists the first kind.
 */
enum KnownDifference implements Difference {
    OWN_EXPLANATION(
            "explanations are our own words, also where that kernel has none",
            false,
            Set.of(KernelKind.values()),
            c -> without(c.kernel()).equals(without(c.bridge())) && !explains(c.kernel())),
    OLD_EXPLANATION(
            "this kernel has explanations that later ones dropped, or the other way round",
            false,
            Set.of(KernelKind.LINUX_6_1),
            c -> without(c.kernel()).equals(without(c.bridge()))),
    CHANGED_ECHO(
            "a kernel repeats a refused request as its own parser has changed it",
            false,
            Set.of(KernelKind.values()),
            c -> without(c.kernel()).stream()
                    .map(KnownDifference::withoutEcho)
                    .toList()
                    .equals(without(c.bridge()).stream()
                            .map(KnownDifference::withoutEcho)
                            .toList())),
    STRANGE_LARVAL(
            "larval states have a mode and a family that exist",
            true,
            Set.of(KernelKind.values()),
            c -> any(c.request(), KnownDifference::asksForStrangeLarval)),
    NEWER_MESSAGE_REFUSED(
            "MIGRATE_STATE came with Linux 7.2; here it was refused for another reason",
            false,
            Set.of(KernelKind.values()),
            c -> isNewer(c) && c.bridge().size() == 1 && !hasErrno(c.bridge(), 0)),
    NEWER_MESSAGE(
            "MIGRATE_STATE came with Linux 7.2: until then no message has its number",
            true,
            Set.of(KernelKind.values()),
            KnownDifference::isNewer),
    EXACT_MARK(
            "States are named by their very mark and mask, as since Linux 7.2; until then a mark that fits was enough",
            true,
            Set.of(KernelKind.values()),
            c -> any(c.request(), message -> StateMarks.nameAnother(c.earlier(), message))),
    LATE_TIMER(
            "a timer tells of a hard limit that an update reached: before the update, but on a busy machine a "
                    + "moment later",
            true,
            Set.of(KernelKind.LINUX_6_1, KernelKind.LINUX_6_12),
            c -> any(c.request(), message -> message.header().type() == XfrmMessage.UPDSA)
                    && withoutExpire(c.kernel()).equals(withoutExpire(c.bridge()))),
    OLD_AUTH(
            "this kernel takes ALG_AUTH in the place of ALG_AUTH_TRUNC cmac(aes); later ones do not",
            true,
            Set.of(KernelKind.LINUX_6_1),
            c -> isState(c) && any(c.request(), KnownDifference::hasTwoFormsOfCmac)),
    OLD_OFFLOAD(
            "later kernels refuse an interface id with offload on the way in",
            true,
            Set.of(KernelKind.LINUX_6_1, KernelKind.LINUX_6_12),
            c -> isState(c)
                    && !hasErrno(c.kernel(), 22)
                    && hasErrno(c.bridge(), 22)
                    && any(c.request(), KnownDifference::isOffloadedIntoAnInterface)),
    CHOSEN_SPI(
            "a kernel chooses SPIs at random",
            true,
            Set.of(KernelKind.values()),
            c -> any(c.request(), KnownDifference::leavesChoiceOfSpi)
                    && c.kernel().size() == c.bridge().size()
                    && c.kernel().stream().anyMatch(line -> line.startsWith("< type 0x10 "))),
    OLD_SPI(
            "newer kernels give out an SPI only once, this one once for each destination",
            true,
            Set.of(KernelKind.LINUX_6_1),
            c -> any(c.request(), message -> message.header().type() == XfrmMessage.ALLOCSPI)
                    && hasErrno(c.bridge(), 2)),
    SECURITY_MODULE(
            "this kernel has SELinux, which judges labels; without it they are ignored, as here",
            true,
            Set.of(KernelKind.LINUX_6_1),
            c -> any(c.request(), message -> has(message, XfrmAttribute.SEC_CTX))
                    || c.kernel().stream().anyMatch(line -> line.contains(" [" + XfrmAttribute.SEC_CTX + " "))),
    ENDLESS_KEY(
            "a kernel takes a key length just below 2^32 bits for 0, as it adds 7 to it",
            true,
            Set.of(KernelKind.values()),
            c -> any(c.request(), KnownDifference::hasEndlessKey)),
    OLD_ENCAPSULATION(
            "since Linux 6.8 encapsulation of type 1 is refused",
            true,
            Set.of(KernelKind.LINUX_6_1),
            c -> any(c.request(), message -> encapsulationType(message) == 1)),
    ESP_MODE(
            "a kernel takes ESP over IPv6 in the mode route optimization, for which it has no code",
            true,
            Set.of(KernelKind.LINUX_6_1, KernelKind.LINUX_6_12),
            c -> isState(c) && any(c.request(), message -> mode(message) == Mode.ROUTE_OPTIMIZATION.number())),
    OLD_MIGRATE(
            "since Linux 6.14 MIGRATE finds the policy that traffic would; before, the one of that very selector",
            true,
            Set.of(KernelKind.LINUX_6_1, KernelKind.LINUX_6_12),
            c -> any(c.request(), message -> message.header().type() == XfrmMessage.MIGRATE)
                    && hasErrno(c.kernel(), 2) != hasErrno(c.bridge(), 2)),
    OLD_DUMP_ERROR(
            "this kernel says no more than the words when it refuses a dump",
            false,
            Set.of(KernelKind.LINUX_6_1),
            c -> without(c.kernel())
                    .equals(without(
                            c.bridge().stream().map(KnownDifference::shortDone).toList()))),
    NO_OFFLOAD(
            "this kernel refuses offload of what it has no code for, and later ones only where a device could take it",
            true,
            Set.of(KernelKind.LINUX_6_1, KernelKind.LINUX_6_12),
            c -> isState(c)
                    && any(c.request(), message -> has(message, XfrmAttribute.OFFLOAD_DEV))
                    && hasErrno(c.kernel(), 22)),
    POLICY_OFFLOAD(
            "this kernel was built without offload, and ignores it on policies where others refuse it",
            true,
            Set.of(KernelKind.HOST, KernelKind.LINUX_6_1),
            c -> any(c.request(), message -> !isState(message) && has(message, XfrmAttribute.OFFLOAD_DEV))),
    TIMER_UNIT(
            "a kernel takes ETIMER_THRESH in ticks of its own and tells it in tenths of a second; here it is tenths "
                    + "both ways",
            false,
            Set.of(KernelKind.LINUX_6_1, KernelKind.LINUX_6_12),
            c -> c.kernel().stream()
                    .map(KnownDifference::withoutTimer)
                    .toList()
                    .equals(c.bridge().stream()
                            .map(KnownDifference::withoutTimer)
                            .toList())),
    GARBAGE(
            "what IPComp needs beside it goes when the kernel's garbage collector runs",
            true,
            Set.of(KernelKind.LINUX_6_1, KernelKind.LINUX_6_12),
            c -> hasLeftTunnels(c) || countsMoreAfterIpComp(c)),
    NO_TRANSFORM(
            "this kernel was built without ESP",
            true,
            Set.of(KernelKind.HOST),
            c -> isState(c) && hasErrno(c.kernel(), 93)),
    NO_ALGORITHM(
            "this kernel was built without the algorithm",
            true,
            Set.of(KernelKind.HOST),
            c -> isState(c) && hasErrno(c.kernel(), 38)),
    NO_ARIA_SM(
            "this kernel was built without ARIA, SM3 and SM4",
            true,
            Set.of(KernelKind.LINUX_6_1, KernelKind.LINUX_6_12),
            c -> isState(c) && hasErrno(c.kernel(), 38) && any(c.request(), KnownDifference::hasAriaOrSm)),
    LARVAL_OF_ANOTHER_INTERFACE(
            "a kernel gives a larval state without SPI to a request with another interface id",
            true,
            Set.of(KernelKind.values()),
            c -> any(c.request(), message -> message.header().type() == XfrmMessage.ALLOCSPI)
                    && c.kernel().stream()
                            .map(KnownDifference::withoutInterface)
                            .toList()
                            .equals(c.bridge().stream()
                                    .map(KnownDifference::withoutInterface)
                                    .toList())),
    MOBILE_IPV6(
            "states of mobile IPv6 are refused",
            true,
            Set.of(KernelKind.values()),
            c -> isState(c) && hasErrno(c.bridge(), 93) && any(c.request(), KnownDifference::isOfMobileIpv6));

    private static final int[] ALGORITHMS = {
        XfrmAttribute.ALG_AUTH,
        XfrmAttribute.ALG_CRYPT,
        XfrmAttribute.ALG_COMP,
        XfrmAttribute.ALG_AEAD,
        XfrmAttribute.ALG_AUTH_TRUNC
    };

    // in struct xfrm_usersa_info
    private static final int FAMILY_OFFSET = 212;
    private static final int MODE_OFFSET = 214;
    private static final int PROTOCOL_OFFSET = 76;

    private final Cause cause;

    KnownDifference(String reason, boolean endsSequence, Set<KernelKind> kernels, Predicate<Case> explains) {
        cause = new Cause(reason, endsSequence, kernels, explains);
    }

    @Override
    public Cause cause() {
        return cause;
    }

    private static boolean explains(List<String> lines) {
        return lines.stream().anyMatch(line -> line.contains(MessageText.EXPLANATION));
    }

    private static List<String> without(List<String> lines) {
        return lines.stream()
                .map(line -> line.contains(MessageText.EXPLANATION)
                        ? line.replace(MessageText.EXPLANATION, "")
                                .replace("flags 0x200", "flags 0x0")
                                .replace("flags 0x300", "flags 0x100")
                                .replace("flags 0x202", "flags 0x2")
                        : line)
                .toList();
    }

    private static String withoutEcho(String line) {
        return line.replaceFirst(" errno ([1-9]\\d*) [0-9a-f]*", " errno $1 ");
    }

    private static List<String> withoutExpire(List<String> lines) {
        return lines.stream()
                .filter(line -> !line.startsWith("! groups 2 type 0x18 "))
                .toList();
    }

    private static boolean hasErrno(List<String> lines, int errno) {
        return lines.stream().anyMatch(line -> line.contains(" errno " + errno + " "));
    }

    private static boolean isState(Case difference) {
        return any(difference.request(), KnownDifference::isState);
    }

    private static boolean isState(NetlinkReader message) {
        return message.header().type() == XfrmMessage.NEWSA || message.header().type() == XfrmMessage.UPDSA;
    }

    private static boolean isNewer(Case difference) {
        return any(difference.request(), message -> message.header().type() == XfrmMessage.MIGRATE_STATE)
                && hasErrno(difference.kernel(), 22);
    }

    private static boolean isOfMobileIpv6(NetlinkReader message) {
        int protocol = protocol(message);
        return protocol == IpProtocol.DSTOPTS || protocol == IpProtocol.ROUTING;
    }

    private static int protocol(NetlinkReader message) {
        return message.payload().limit() > PROTOCOL_OFFSET
                ? Byte.toUnsignedInt(message.payload().get(PROTOCOL_OFFSET))
                : 0;
    }

    private static int mode(NetlinkReader message) {
        return message.payload().limit() > MODE_OFFSET
                ? Byte.toUnsignedInt(message.payload().get(MODE_OFFSET))
                : -1;
    }

    private static boolean asksForStrangeLarval(NetlinkReader message) {
        return message.header().type() == XfrmMessage.ALLOCSPI
                && message.payload().limit() > MODE_OFFSET
                && (mode(message) > Mode.IPTFS.number()
                        || !AddressFamily.isIp(message.payload().getShort(FAMILY_OFFSET)));
    }

    private static boolean leavesChoiceOfSpi(NetlinkReader message) {
        ByteBuffer payload = message.payload();
        return message.header().type() == XfrmMessage.ALLOCSPI
                && payload.limit() >= UserspiInfo.BYTES
                && payload.getInt(UsersaInfo.BYTES) != payload.getInt(UsersaInfo.BYTES + 4);
    }

    private static String withoutInterface(String line) {
        return line.replaceFirst(" \\[31 [0-9a-f]{8}]", "");
    }

    private static String withoutTimer(String line) {
        return line.replaceFirst(" \\[12 [0-9a-f]{8}]", "");
    }

    /** A NEWSA of IP in IP, by the protocol in its fixed part. */
    private static boolean isBareTunnel(String line) {
        int at = line.indexOf(": ") + 2 + 2 * PROTOCOL_OFFSET;
        return line.contains("type 0x10 ")
                && line.length() > at + 2
                && (line.startsWith("04", at) || line.startsWith("29", at));
    }

    /**
     * A kernel shows tunnels that have nothing beside them any more; or one of them stands beside another State than
     * the one it was made for.
     */
    private static boolean hasLeftTunnels(Case difference) {
        List<String> kernel =
                difference.kernel().stream().map(KnownDifference::unplaced).toList();
        List<String> bridge =
                difference.bridge().stream().map(KnownDifference::unplaced).toList();
        List<String> more = new ArrayList<>(kernel);
        bridge.forEach(more::remove);
        boolean shared = difference.earlier().stream()
                        .filter(request -> any(request, KnownDifference::isIpComp))
                        .count()
                > 1;
        boolean equal = shared
                ? withoutBareTunnels(kernel).equals(withoutBareTunnels(bridge))
                : more.size() + bridge.size() == kernel.size();
        return equal && !more.isEmpty() && more.stream().allMatch(KnownDifference::isBareTunnel);
    }

    /** A line that does not tell whether it is the first of its datagram. */
    private static String unplaced(String line) {
        return line.replaceFirst("^< \\+ ", "< ");
    }

    private static List<String> withoutBareTunnels(List<String> lines) {
        return lines.stream().filter(line -> !isBareTunnel(line)).toList();
    }

    /** GETSADINFO counts the tunnel of a state that is gone, or was refused. */
    private static boolean countsMoreAfterIpComp(Case difference) {
        return difference.earlier().stream().anyMatch(request -> any(request, KnownDifference::isIpComp))
                && any(difference.request(), message -> message.header().type() == XfrmMessage.GETSADINFO)
                && withoutCount(difference.kernel()).equals(withoutCount(difference.bridge()));
    }

    private static List<String> withoutCount(List<String> lines) {
        return lines.stream()
                .map(line -> line.contains("type 0x22 ") ? line.replaceFirst(" \\[1 [0-9a-f]{8}]", "") : line)
                .toList();
    }

    private static boolean isIpComp(NetlinkReader message) {
        return isState(message) && protocol(message) == IpProtocol.COMP;
    }

    private static String shortDone(String line) {
        return line.startsWith("< type 0x3 ") ? line.replaceFirst("\\[text] \\[.*", "[text]") : line;
    }

    private static boolean hasAriaOrSm(NetlinkReader message) {
        return Arrays.stream(ALGORITHMS)
                .mapToObj(attributes(message)::getString)
                .filter(Objects::nonNull)
                .anyMatch(name -> name.contains("aria") || name.contains("sm3") || name.contains("sm4"));
    }

    private static boolean hasTwoFormsOfCmac(NetlinkReader message) {
        return has(message, XfrmAttribute.ALG_AUTH)
                && "cmac(aes)".equals(attributes(message).getString(XfrmAttribute.ALG_AUTH_TRUNC));
    }

    private static boolean isOffloadedIntoAnInterface(NetlinkReader message) {
        ByteBuffer offload = attributes(message).get(XfrmAttribute.OFFLOAD_DEV);
        return offload != null
                && offload.limit() > 4
                && (offload.get(4) & 2) != 0
                && attributes(message).getInt(XfrmAttribute.IF_ID, 0) != 0;
    }

    private static boolean hasEndlessKey(NetlinkReader message) {
        Attributes attributes = attributes(message);
        return Arrays.stream(ALGORITHMS).anyMatch(type -> {
            ByteBuffer algorithm = attributes.get(type);
            return algorithm != null
                    && algorithm.limit() >= 68
                    && Integer.compareUnsigned(algorithm.getInt(64), -8) > 0;
        });
    }

    private static int encapsulationType(NetlinkReader message) {
        ByteBuffer encapsulation = attributes(message).get(XfrmAttribute.ENCAP);
        return encapsulation == null ? 0 : Short.toUnsignedInt(encapsulation.getShort(0));
    }

    static Attributes attributes(NetlinkReader message) {
        int fixedBytes = MessageText.FIXED_BYTES.getOrDefault(message.header().type(), 0);
        return Attributes.parse(message.payload(), fixedBytes, XfrmAttribute.MAX);
    }

    private static boolean has(NetlinkReader message, int attribute) {
        return attributes(message).has(attribute);
    }

    static boolean any(Datagram request, Predicate<NetlinkReader> what) {
        NetlinkReader reader = new NetlinkReader(ByteBuffer.wrap(request.bytes()));
        while (request.protocol() == Protocol.NETLINK && reader.next()) {
            if (what.test(reader)) {
                return true;
            }
        }
        return false;
    }
}
