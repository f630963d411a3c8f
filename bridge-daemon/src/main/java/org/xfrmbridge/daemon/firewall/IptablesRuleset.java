package org.xfrmbridge.daemon.firewall;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The rules that one of the programs of iptables shows, and what they ask of IPsec. Any thread; immutable once made.
 * Source: iptables-save(8), iptables-extensions(8).
 */
final class IptablesRuleset {
    /** What may be said in a chain of table mangle as well. */
    private static final Set<String> AFTER_ROUTING_TARGETS =
            Set.of("DROP", "REJECT", "LOG", "NFLOG", "MARK", "CONNMARK", "ACCEPT", "RETURN", "DSCP", "CLASSIFY");

    private static final Set<String> RPFILTER_WORDS = Set.of("--invert", "--loose", "--validmark", "--accept-local");

    private final String program;
    private final String tap;
    private final boolean firewalld;
    private final Set<String> chains = new HashSet<>();
    private final List<IptablesRule> rules = new ArrayList<>();

    /**
     * @param program with which rules are added, such as {@code ip6tables-legacy}
     * @param saved what its iptables-save shows
     * @param tap the bridge's interface
     * @param firewalld whether firewalld rules this host
     */
    IptablesRuleset(String program, String saved, String tap, boolean firewalld) {
        this.program = program;
        this.tap = tap;
        this.firewalld = firewalld;
        read(saved);
    }

    /** All chains that it has, as {@code filter INPUT}. */
    Set<String> chains() {
        return chains;
    }

    /** The last rule of a chain first: so that the places of others hold when a rule is added. */
    List<Finding> findings() {
        Map<IptablesRule, Finding> found = new HashMap<>();
        for (IptablesRule rule : rules) {
            if (rule.hasMatch("policy")) {
                addPolicy(found, rule);
            } else if (rule.hasMatch("rpfilter")) {
                addReversePath(found, rule);
            }
        }
        return found.entrySet().stream()
                .sorted((one, other) -> compare(one.getKey(), other.getKey()))
                .map(Map.Entry::getValue)
                .toList();
    }

    private static int compare(IptablesRule one, IptablesRule other) {
        int tables = one.table().compareTo(other.table());
        int chains = one.chain().compareTo(other.chain());
        return tables != 0 ? tables : chains != 0 ? chains : Integer.compare(other.place(), one.place());
    }

    private void read(String saved) {
        String table = "";
        Map<String, Integer> places = new HashMap<>();
        for (String line : saved.lines().toList()) {
            if (line.startsWith("*")) {
                table = line.substring(1).strip();
                places.clear();
            } else if (line.startsWith(":")) {
                chains.add(table + " " + line.substring(1, line.indexOf(' ')));
            } else if (line.startsWith("-A ")) {
                List<String> words = Words.split(line);
                int place = places.merge(words.get(1), 1, Integer::sum);
                rules.add(new IptablesRule(table, words.get(1), place, words.subList(2, words.size())));
            }
        }
    }

    private void addPolicy(Map<IptablesRule, Finding> found, IptablesRule rule) {
        boolean inbound = "in".equals(rule.policyDirection());
        Question.Answer answer = question(rule, inbound).answer();
        Finding finding = switch (answer) {
            case INTERFACE -> byInterface(rule, inbound);
            case OTHER_INTERFACES -> otherInterfaces(rule, inbound);
            case AS_IT_IS -> null;
            case EXEMPT -> exempt(rule);
            case NO_SOURCE_NAT -> noSourceNat(rule);
            case WITHOUT_QUESTION -> withoutQuestion(rule);
            case AFTER_ROUTING -> afterRouting(rule);
        };
        if (finding != null) {
            found.put(rule, finding);
        }
        if (answer == Question.Answer.INTERFACE) {
            addWaysTo(found, rule, inbound ? "-i" : "-o", new HashSet<>());
        }
    }

    private Question question(IptablesRule rule, boolean inbound) {
        Set<String> hooks = hooks(rule.table(), rule.chain(), new HashSet<>());
        return new Question(
                inbound,
                rule.wantsIpsec(),
                hooks.equals(Set.of("OUTPUT")),
                rule.table().equals("nat"),
                rule.namesOther(inbound ? "-i" : "-o", tap),
                accepts(rule));
    }

    private Finding byInterface(IptablesRule rule, boolean inbound) {
        String option = inbound ? "-i" : "-o";
        IptablesRule other = rule.withoutPolicy().without(option).preceded(option, tap);
        return add(rule, withParts(rule, Reasons.byInterface(inbound, tap)), other);
    }

    private Finding otherInterfaces(IptablesRule rule, boolean inbound) {
        String option = inbound ? "-i" : "-o";
        if (rule.value(option) != null) {
            return new Finding(show(rule), Reasons.twoInterfaces(inbound, tap), List.of(), List.of(), true);
        }
        return replace(
                rule,
                Reasons.otherInterfaces(inbound, tap),
                rule.withoutPolicy().preceded("!", option, tap));
    }

    private Finding exempt(IptablesRule rule) {
        return new Finding(show(rule), Reasons.EXEMPT, List.of(), List.of(), false);
    }

    private Finding noSourceNat(IptablesRule rule) {
        return new Finding(show(rule), Reasons.NO_SOURCE_NAT, List.of(), List.of(), true);
    }

    private Finding withoutQuestion(IptablesRule rule) {
        IptablesRule other = rule.withoutPolicy();
        if (other.isForAll()) {
            return new Finding(show(rule), Reasons.OUTPUT_FOR_ALL, List.of(), List.of(), true);
        }
        return add(rule, withParts(rule, Reasons.OUTPUT_WITHOUT_QUESTION), other);
    }

    private Finding afterRouting(IptablesRule rule) {
        if (!AFTER_ROUTING_TARGETS.contains(rule.target())) {
            return new Finding(show(rule), Reasons.OUTPUT_AFTER_ROUTING, List.of(), List.of(), true);
        }
        IptablesRule other = rule.target().equals("REJECT") ? dropping(rule.withoutPolicy()) : rule.withoutPolicy();
        List<String> commands = new ArrayList<>();
        if (rule.wantsIpsec()) {
            other = other.without("-o").preceded("-o", tap);
        } else {
            commands.add(command(rule.table(), List.of("-D", rule.chain(), "" + rule.place())));
            other = rule.namesOther("-o", tap) ? other : other.without("-o").preceded("!", "-o", tap);
        }
        commands.add(
                0,
                command(
                        "mangle",
                        Stream.concat(Stream.of("-A", "POSTROUTING"), other.words().stream())
                                .toList()));
        return new Finding(
                show(rule), withParts(rule, Reasons.OUTPUT_AFTER_ROUTING), commands, lasting(rule, other, false), true);
    }

    private static IptablesRule dropping(IptablesRule rule) {
        return new IptablesRule(
                rule.table(),
                rule.chain(),
                rule.place(),
                Stream.concat(rule.without("--reject-with").without("-j").words().stream(), Stream.of("-j", "DROP"))
                        .toList());
    }

    /** An IPv6 lookup finds the bridge's interface by the bridge's own rule, an IPv4 one does not. */
    private void addReversePath(Map<IptablesRule, Finding> found, IptablesRule rule) {
        List<String> words = rule.words();
        if (program.startsWith("ip6") || words.contains("--loose") || rule.namesOther("-i", tap)) {
            return;
        }
        if (words.contains("--invert") && rule.value("-i") == null) {
            found.put(rule, replace(rule, Reasons.reversePath(tap), rule.preceded("!", "-i", tap)));
        } else if (!words.contains("--invert")) {
            Finding finding = add(rule, Reasons.reversePath(tap), withoutReversePath(rule));
            if (finding != null) {
                found.put(rule, finding);
            }
        }
    }

    private IptablesRule withoutReversePath(IptablesRule rule) {
        List<String> words = new ArrayList<>(rule.without("-i").words());
        int at = words.indexOf("rpfilter");
        words.subList(at - 1, at + 1).clear();
        words.removeIf(RPFILTER_WORDS::contains);
        return new IptablesRule(rule.table(), rule.chain(), rule.place(), words).preceded("-i", tap);
    }

    /** Chains that are entered for other interfaces only must be for the bridge's as well. */
    private void addWaysTo(Map<IptablesRule, Finding> found, IptablesRule to, String option, Set<String> seen) {
        if (!seen.add(to.chain())) {
            return;
        }
        for (IptablesRule way : rules) {
            if (way.table().equals(to.table()) && way.target().equals(to.chain()) && !way.hasMatch("policy")) {
                IptablesRule other = way.without(option).preceded(option, tap);
                if (way.namesOther(option, tap) && !isThere(other)) {
                    found.putIfAbsent(way, add(way, Reasons.way(to.chain(), tap), other));
                }
                addWaysTo(found, way, option, seen);
            }
        }
    }

    private Set<String> hooks(String table, String chain, Set<String> seen) {
        Set<String> hooks = new HashSet<>();
        if (Set.of("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING").contains(chain)) {
            hooks.add(chain);
        } else if (seen.add(chain)) {
            for (IptablesRule way : rules) {
                if (way.table().equals(table) && way.target().equals(chain)) {
                    hooks.addAll(hooks(table, way.chain(), seen));
                }
            }
        }
        return hooks;
    }

    /** One more rule; null if it is there already. */
    private Finding add(IptablesRule rule, String reason, IptablesRule other) {
        if (isThere(other)) {
            return null;
        }
        String command = command("-I", rule, other);
        return rule.choosesTunnel() && !accepts(rule)
                ? new Finding(show(rule), reason, List.of("# for all tunnels: " + command), List.of(), true)
                : new Finding(show(rule), reason, List.of(command), lasting(rule, other, false), true);
    }

    private boolean isThere(IptablesRule rule) {
        List<String> words = rule.words().stream().sorted().toList();
        return rules.stream()
                .anyMatch(other -> other.table().equals(rule.table())
                        && other.chain().equals(rule.chain())
                        && other.words().stream().sorted().toList().equals(words));
    }

    private static boolean accepts(IptablesRule rule) {
        return Set.of("ACCEPT", "RETURN").contains(rule.target());
    }

    private Finding replace(IptablesRule rule, String reason, IptablesRule other) {
        return new Finding(show(rule), reason, List.of(command("-R", rule, other)), lasting(rule, other, true), true);
    }

    private String command(String verb, IptablesRule place, IptablesRule rule) {
        List<String> words = new ArrayList<>(List.of(verb, place.chain(), "" + place.place()));
        words.addAll(rule.words());
        return command(place.table(), words);
    }

    private String command(String table, List<String> words) {
        return program + (table.equals("filter") ? " " : " -t " + table + " ") + Words.join(words);
    }

    private List<String> lasting(IptablesRule rule, IptablesRule other, boolean instead) {
        boolean ipv6 = program.startsWith("ip6");
        if (rule.chain().startsWith("ufw")) {
            return List.of("ufw: in /etc/ufw/%s%s.rules %s the rule that is there: -A %s %s"
                    .formatted(
                            rule.chain().contains("-after-") ? "after" : "before",
                            ipv6 ? "6" : "",
                            instead ? "in place of" : "before",
                            rule.chain(),
                            Words.join(other.words())));
        }
        if (firewalld && !instead) {
            return List.of(
                    "firewall-cmd --permanent --direct --add-rule %s %s %s 0 %s"
                            .formatted(
                                    ipv6 ? "ipv6" : "ipv4",
                                    rule.table(),
                                    rule.chain().replace("_direct", ""),
                                    Words.join(other.words())),
                    Reasons.zone(tap));
        }
        return List.of();
    }

    private static String withParts(IptablesRule rule, String reason) {
        List<String> parts = rule.policyParts();
        return parts.isEmpty() ? reason : reason + " " + Reasons.parts(String.join(" ", parts), rule.choosesTunnel());
    }

    private String show(IptablesRule rule) {
        return command(
                        rule.table(),
                        Stream.concat(Stream.of("-A", rule.chain()), rule.words().stream())
                                .toList())
                + "  (rule " + rule.place() + ")";
    }
}
