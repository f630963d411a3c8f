package org.xfrmbridge.daemon.firewall;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A rule of iptables, as words. Immutable.
 *
 * @param table its table, such as {@code filter}
 * @param chain its chain
 * @param place its number in the chain, from 1
 * @param words what follows {@code -A CHAIN}
 */
record IptablesRule(String table, String chain, int place, List<String> words) {
    /** All that -m policy takes besides its direction; each is a word with a value but for these two. */
    private static final Set<String> PARTS =
            Set.of("--strict", "--next", "--reqid", "--spi", "--proto", "--mode", "--tunnel-src", "--tunnel-dst");

    private static final Set<String> LONE_PARTS = Set.of("--strict", "--next");

    IptablesRule {
        words = List.copyOf(words);
    }

    /** The value of an option, or null. */
    String value(String... options) {
        for (int i = 0; i + 1 < words.size(); i++) {
            if (List.of(options).contains(words.get(i))) {
                return words.get(i + 1);
            }
        }
        return null;
    }

    /** Where it jumps or goes to, or its verdict; empty without. */
    String target() {
        String target = value("-j", "-g");
        return target == null ? "" : target;
    }

    boolean hasMatch(String name) {
        return matchAt(name) >= 0;
    }

    /** Whether an interface option names one interface, and this is another one. */
    boolean namesOther(String option, String device) {
        int at = words.indexOf(option);
        if (at < 0 || at > 0 && words.get(at - 1).equals("!")) {
            return false;
        }
        String name = words.get(at + 1);
        return name.endsWith("+") ? !device.startsWith(name.substring(0, name.length() - 1)) : !name.equals(device);
    }

    boolean isNegated(String option) {
        int at = words.indexOf(option);
        return at > 0 && words.get(at - 1).equals("!");
    }

    /** What the first -m policy asks: {@code in} or {@code out}; null if there is none. */
    String policyDirection() {
        return hasMatch("policy") ? value("--dir") : null;
    }

    boolean wantsIpsec() {
        return "ipsec".equals(value("--pol"));
    }

    /** What -m policy says besides direction and whether, in its own words. */
    List<String> policyParts() {
        int at = matchAt("policy");
        List<String> parts = new ArrayList<>();
        for (int i = at + 2; i < policyEnd(at); i++) {
            if (PARTS.contains(words.get(i))) {
                String not = words.get(i - 1).equals("!") ? "! " : "";
                parts.add(not + words.get(i) + (LONE_PARTS.contains(words.get(i)) ? "" : " " + words.get(i + 1)));
            }
        }
        return parts;
    }

    /** Whether it is for some of the tunnels only. */
    boolean choosesTunnel() {
        return hasMatch("policy") && value("--reqid", "--spi", "--tunnel-src", "--tunnel-dst") != null;
    }

    IptablesRule withoutPolicy() {
        int at = matchAt("policy");
        List<String> rest = new ArrayList<>(words.subList(0, at));
        rest.addAll(words.subList(policyEnd(at), words.size()));
        return with(rest);
    }

    IptablesRule without(String option) {
        int at = words.indexOf(option);
        if (at < 0) {
            return this;
        }
        List<String> rest = new ArrayList<>(words.subList(0, isNegated(option) ? at - 1 : at));
        rest.addAll(words.subList(at + 2, words.size()));
        return with(rest);
    }

    IptablesRule preceded(String... first) {
        List<String> all = new ArrayList<>(List.of(first));
        all.addAll(words);
        return with(all);
    }

    /** Whether it holds for packets of all kinds: it has nothing but a target and perhaps an interface. */
    boolean isForAll() {
        return without("-i").without("-o").words.size() <= 2;
    }

    private IptablesRule with(List<String> others) {
        return new IptablesRule(table, chain, place, others);
    }

    private int matchAt(String name) {
        for (int i = 0; i + 1 < words.size(); i++) {
            if (words.get(i).equals("-m") && words.get(i + 1).equals(name)) {
                return i;
            }
        }
        return -1;
    }

    private int policyEnd(int at) {
        int i = at + 2;
        while (i < words.size()) {
            String word = words.get(i).equals("!") && i + 1 < words.size() ? words.get(i + 1) : words.get(i);
            if (!PARTS.contains(word) && !word.equals("--dir") && !word.equals("--pol")) {
                break;
            }
            i += words.get(i).equals("!") ? 1 : 0;
            i += LONE_PARTS.contains(word) ? 1 : 2;
        }
        return i;
    }
}
