package org.xfrmbridge.it.conformance;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.xfrmbridge.it.conformance.PfkeyText.Extension;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.pfkey.sadb.SadbType;

/** What differs on purpose in PF_KEY, or since the kernel is another version or was built without something. */
enum PfkeyDifference implements Difference {
    ALGORITHM_LIST(
            "this kernel was built without SM3 and SM4",
            false,
            Set.of(KernelKind.values()),
            c -> lists(c.kernel()).equals(lists(c.bridge()))),
    UNSET_PORT(
            "a kernel fills ports of NAT-T that are not given with what memory held; they are 0 here",
            true,
            Set.of(KernelKind.values()),
            c -> has(c.request(), SadbExt.X_NAT_T_TYPE)
                    && withoutPorts(c.kernel()).equals(withoutPorts(c.bridge()))),
    MESSAGE_LENGTH(
            "a kernel says a wrong length if a policy's transforms are of both families; the message is as long as "
                    + "ours",
            false,
            Set.of(KernelKind.values()),
            c -> withoutLength(c.kernel()).equals(withoutLength(c.bridge()))),
    OLD_ENCAPSULATION(
            "since Linux 6.8 encapsulation of type 1 is refused",
            true,
            Set.of(KernelKind.LINUX_6_1),
            c -> (type(c) == SadbType.ADD || type(c) == SadbType.UPDATE) && asksForType(c.request(), 1)),
    OLD_SPI(
            "newer kernels give out an SPI only once, this one once for each destination",
            true,
            Set.of(KernelKind.LINUX_6_1),
            c -> type(c) == SadbType.GETSPI && isRefused(c.bridge(), 2)),
    CHOSEN_SPI(
            "a kernel chooses SPIs at random",
            true,
            Set.of(KernelKind.values()),
            c -> type(c) == SadbType.GETSPI
                    && isWide(c.request())
                    && !c.kernel().isEmpty()
                    && c.kernel().size() == c.bridge().size()),
    SECURITY_MODULE(
            "this kernel has SELinux, which judges labels; without it they are ignored, as here",
            true,
            Set.of(KernelKind.LINUX_6_1),
            c -> has(c.request(), SadbExt.X_SEC_CTX) || c.kernel().stream().anyMatch(line -> line.contains(" [24 "))),
    NO_ALGORITHM(
            "this kernel was built without the algorithm",
            true,
            Set.of(KernelKind.values()),
            c -> (type(c) == SadbType.ADD || type(c) == SadbType.UPDATE)
                    && usesSm(c.request())
                    && isRefused(c.kernel(), 38)),
    STACK(
            "of addresses that X_MIGRATE moves to, a kernel keeps and tells what its stack held behind those of IPv4",
            false,
            Set.of(KernelKind.values()),
            c -> (type(c) == SadbType.X_MIGRATE
                            || c.earlier().stream().anyMatch(request -> type(request) == SadbType.X_MIGRATE))
                    && withoutStack(c.kernel()).equals(withoutStack(c.bridge()))),
    OLD_MIGRATE(
            "since Linux 6.14 MIGRATE finds the policy that traffic would; before, the one of that very selector",
            true,
            Set.of(KernelKind.LINUX_6_1, KernelKind.LINUX_6_12),
            c -> type(c) == SadbType.X_MIGRATE && isRefused(c.kernel(), 2) != isRefused(c.bridge(), 2));

    // SADB_X_AALG_SM3_256HMAC and SADB_X_EALG_SM4CBC, alone and as lists of supported algorithms have them.
    private static final int SM3 = 10;
    private static final int SM4 = 24;
    /** Of an extension 13 as text, its replay window, and one of its combinations. */
    private static final String PROPOSAL = "[13 ";

    private static final int REPLAY_DIGITS = 8;
    private static final int COMBINATION_DIGITS = 144;
    private static final String SM3_LISTED = "0a00000100010000";
    private static final String SM4_LISTED = "1810800000010000";
    /** The IPv4 addresses that requests name. */
    private static final String MOVED_TO = "(c000020[12]|c633640[78])";
    /** XFRMA_KMADDRESS, of whatever IPv4 addresses. */
    private static final String KM_ADDRESSES = "\\[19 (.{8})(?:.{24})?(.{8})(?:.{24})?(.{8}02000000)]";

    private final Cause cause;

    PfkeyDifference(String reason, boolean endsSequence, Set<KernelKind> kernels, Predicate<Case> explains) {
        cause = new Cause(reason, endsSequence, kernels, explains);
    }

    @Override
    public Cause cause() {
        return cause;
    }

    /** With answers to REGISTER, and proposals of an ACQUIRE, as if there were no SM3 and no SM4. */
    private static List<String> lists(List<String> lines) {
        return lines.stream()
                .map(line -> line.contains(" type 7 ")
                        ? withoutLength(line.replace(SM3_LISTED, "").replace(SM4_LISTED, ""))
                        : line)
                .map(line -> line.contains(" type 6 ") ? withoutLength(withoutCombinations(line)) : line)
                .toList();
    }

    private static String withoutCombinations(String line) {
        int begin = line.indexOf(PROPOSAL) + PROPOSAL.length() + REPLAY_DIGITS;
        int end = line.indexOf(']', begin);
        if (begin < PROPOSAL.length() + REPLAY_DIGITS || end < 0) {
            return line;
        }
        StringBuilder text = new StringBuilder(line.substring(0, begin));
        for (int at = begin; at + COMBINATION_DIGITS <= end; at += COMBINATION_DIGITS) {
            boolean sm = line.startsWith("0a", at) || line.startsWith("18", at + 2);
            text.append(sm ? "" : line.substring(at, at + COMBINATION_DIGITS));
        }
        return text.append(line.substring(end)).toString();
    }

    private static List<String> withoutLength(List<String> lines) {
        return lines.stream().map(PfkeyDifference::withoutLength).toList();
    }

    private static String withoutLength(String line) {
        return line.replaceFirst(" words \\d+", "");
    }

    /** Those of PF_KEY, and those of netlink's ENCAP. */
    private static List<String> withoutPorts(List<String> lines) {
        return lines.stream()
                .map(line -> line.replaceAll("\\[(21|22) [0-9a-f]{8}]", "[$1]")
                        .replaceAll("\\[4 ([0-9a-f]{4})[0-9a-f]{8}", "[4 $1"))
                .toList();
    }

    /** All bytes but the first four of an IPv4 address in netlink's form. */
    private static List<String> withoutStack(List<String> lines) {
        return lines.stream()
                .map(line -> line.replaceAll(MOVED_TO + "[0-9a-f]{24}", "$1").replaceAll(KM_ADDRESSES, "[19 $1 $2 $3]"))
                .toList();
    }

    /** Of a message, -1 of a netlink request. */
    private static int type(Case difference) {
        return type(difference.request());
    }

    private static int type(Datagram request) {
        boolean message = request.protocol() == Protocol.PF_KEY && request.bytes().length >= SadbMsg.BYTES;
        return message ? SadbMsg.read(ByteBuffer.wrap(request.bytes())).type() : -1;
    }

    private static boolean isRefused(List<String> lines, int errno) {
        return lines.stream().anyMatch(line -> line.contains(" errno " + errno + " "));
    }

    private static Extension find(Datagram request, SadbExt extension) {
        return PfkeyText.extensions(request.bytes()).stream()
                .filter(found -> found.number() == extension.number() && found.isWhole())
                .findFirst()
                .orElse(null);
    }

    private static boolean has(Datagram request, SadbExt extension) {
        return request.protocol() == Protocol.PF_KEY
                && PfkeyText.extensions(request.bytes()).stream()
                        .anyMatch(found -> found.number() == extension.number());
    }

    /** Leaves the kernel a choice, in a range that requests name SPIs of. */
    private static boolean isWide(Datagram request) {
        Extension range = find(request, SadbExt.SPIRANGE);
        return range != null && range.view().getInt(4) != range.view().getInt(8);
    }

    private static boolean asksForType(Datagram request, int type) {
        return PfkeyText.extensions(request.bytes()).stream()
                .anyMatch(found -> found.number() == SadbExt.X_NAT_T_TYPE.number()
                        && found.bytes().length > 4
                        && found.bytes()[4] == type);
    }

    private static boolean usesSm(Datagram request) {
        Extension sa = find(request, SadbExt.SA);
        return sa != null && (sa.bytes()[10] == SM3 || sa.bytes()[11] == SM4);
    }
}
