package org.xfrmbridge.daemon.firewall;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The rules that {@code nft -a list ruleset} shows, and what they ask of IPsec. Any thread; immutable once made.
 * Source: nft(8).
 */
final class NftRuleset {
    private static final String VALUE = "(?:\\{[^}]*\\}|\"[^\"]*\"|\\S+)";
    private static final Pattern QUESTION =
            Pattern.compile("(?<meta>meta (?:ipsec|secpath)|rt ipsec) (?<is>exists|missing) ?"
                    + "|ipsec (?<direction>in|out)(?: spnum \\d+)?"
                    + " (?<part>(?:reqid|spi|ip6? [sd]addr)(?: !=)? (?!vmap|map)" + VALUE + ") ?");
    private static final Pattern ANY = Pattern.compile("\\b(?:meta|rt) (?:ipsec|secpath)\\b|\\bipsec (?:in|out)\\b");
    private static final Pattern IN = Pattern.compile("(?<!\\. )\\biif(?:name)?(?<not> !=)? (?<names>" + VALUE + ") ?");
    private static final Pattern OUT = Pattern.compile("\\boif(?:name)?(?<not> !=)? (?<names>" + VALUE + ") ?");
    private static final Pattern REVERSE_PATH =
            Pattern.compile("\\bfib saddr(?: \\. mark)? \\. iif oif (?:missing|0|eq 0)");
    private static final Pattern FLOWTABLE = Pattern.compile("\\bflow add @");
    private static final Pattern REJECT = Pattern.compile("\\breject(?: with .*)?$");

    /** A rule; chains have their hook, or none, as {@code type ... hook ... priority}. */
    private record Rule(String table, String chain, int handle, String text) {}

    private record Chain(String table, String name, String base) {}

    private final String tap;
    private final Set<String> left;
    private final List<Chain> chains = new ArrayList<>();
    private final List<Rule> rules = new ArrayList<>();

    /**
     * @param listing what {@code nft -a list ruleset} shows
     * @param tap the bridge's interface
     * @param left tables, as {@code ip filter}, or chains, as {@code ip filter INPUT}, that are of others and left out
     */
    NftRuleset(String listing, String tap, Set<String> left) {
        this.tap = tap;
        this.left = left;
        read(listing);
    }

    List<Finding> findings() {
        List<Finding> found = new ArrayList<>();
        for (Rule rule : rules) {
            if (rule.text().contains("xt match \"policy\"") || rule.text().contains("xt match policy")) {
                found.add(said(rule, Reasons.OPAQUE));
            } else if (ANY.matcher(rule.text()).find()) {
                addQuestion(found, rule);
            } else if (REVERSE_PATH.matcher(rule.text()).find()
                    && !isFirewalldsCheck(rule)
                    && !names(IN, rule.text(), true)
                    && !rule.text().contains(interfaceMatch(true, "!= "))) {
                found.add(reversePath(rule));
            } else if (FLOWTABLE.matcher(rule.text()).find()) {
                addFlowtable(found, rule);
            }
        }
        return found;
    }

    private void read(String listing) {
        String table = "";
        String chain = null;
        for (String line : listing.lines().map(String::strip).toList()) {
            if (line.startsWith("table ")) {
                table = head(line);
                chain = null;
            } else if (line.startsWith("chain ")) {
                chain = head(line);
            } else if (line.equals("}")) {
                chain = null;
            } else if (chain != null && line.startsWith("type ")) {
                chains.add(new Chain(table, chain, line));
            } else if (chain != null && line.contains(" # handle ") && !isLeft(table, chain)) {
                int at = line.lastIndexOf(" # handle ");
                int handle = Integer.parseInt(
                        line.substring(at + " # handle ".length()).strip());
                rules.add(new Rule(
                        table,
                        chain,
                        handle,
                        line.substring(0, at).replaceAll("\\bcounter packets \\d+ bytes \\d+", "counter")));
            }
        }
    }

    private boolean isLeft(String table, String chain) {
        return left.contains(table) || left.contains(table + " " + chain);
    }

    private static String head(String line) {
        return line.substring(line.indexOf(' ') + 1, line.indexOf(" {"));
    }

    private void addQuestion(List<Finding> found, Rule rule) {
        Matcher question = QUESTION.matcher(rule.text());
        if (!question.find()) {
            found.add(said(rule, Reasons.inexpressible(tap)));
            return;
        }
        boolean inbound = question.group("meta") == null
                ? question.group("direction").equals("in")
                : question.group("meta").startsWith("meta");
        boolean wanted = !"missing".equals(question.group("is"));
        String rest = (rule.text().substring(0, question.start()) + rule.text().substring(question.end())).strip();
        Pattern device = inbound ? IN : OUT;
        String part = question.group("part") == null ? "" : " " + Reasons.parts(question.group("part"), true);
        boolean accepts = rest.matches(".*\\b(accept|return)( comment .*)?$");
        switch (new Question(
                        inbound,
                        wanted,
                        hooks(rule.table(), rule.chain(), new HashSet<>()).equals(Set.of("output")),
                        isSourceNat(rule),
                        names(device, rest, true),
                        accepts)
                .answer()) {
            case INTERFACE ->
                add(
                        found,
                        rule,
                        Reasons.byInterface(inbound, tap) + part,
                        interfaceMatch(inbound, "") + strip(device, rest),
                        part.isEmpty() || accepts);
            case OTHER_INTERFACES -> found.add(otherInterfaces(rule, inbound, rest));
            case AS_IT_IS -> {
                // It never meets what is protected.
            }
            case EXEMPT -> found.add(new Finding(show(rule), Reasons.EXEMPT, List.of(), List.of(), false));
            case NO_SOURCE_NAT -> found.add(said(rule, Reasons.NO_SOURCE_NAT));
            case WITHOUT_QUESTION -> addWithoutQuestion(found, rule, rest, part);
            case AFTER_ROUTING -> found.add(afterRouting(rule, wanted, rest, part));
        }
    }

    private Finding otherInterfaces(Rule rule, boolean inbound, String rest) {
        if (names(inbound ? IN : OUT, rest, false)) {
            return said(rule, Reasons.twoInterfaces(inbound, tap));
        }
        return said(rule, Reasons.otherInterfaces(inbound, tap), replace(rule, interfaceMatch(inbound, "!= ") + rest));
    }

    private void addWithoutQuestion(List<Finding> found, Rule rule, String rest, String part) {
        String conditions = strip(OUT, rest).replaceAll("\\b(accept|return|counter|comment \"[^\"]*\")\\s*", "");
        if (conditions.isBlank()) {
            found.add(said(rule, Reasons.OUTPUT_FOR_ALL));
        } else {
            add(found, rule, Reasons.OUTPUT_WITHOUT_QUESTION + part, rest, true);
        }
    }

    /** One more rule, unless it is there already. */
    private void add(List<Finding> found, Rule rule, String reason, String text, boolean sure) {
        boolean there = rules.stream()
                .anyMatch(other -> other.table().equals(rule.table())
                        && other.chain().equals(rule.chain())
                        && other.text().equals(text));
        if (!there) {
            found.add(said(rule, reason, (sure ? "" : "# for all tunnels: ") + insert(rule, text)));
        }
    }

    private Finding afterRouting(Rule rule, boolean wanted, String rest, String part) {
        String chain = rule.chain() + "-routed";
        boolean named = !wanted && names(OUT, rest, true);
        String text = REJECT.matcher(named ? rest : interfaceMatch(false, wanted ? "" : "!= ") + strip(OUT, rest))
                .replaceAll("drop");
        List<String> commands = new ArrayList<>();
        commands.add("nft "
                + Words.quote(
                        "add chain %s %s { type filter hook postrouting priority 0; }".formatted(rule.table(), chain)));
        commands.add("nft " + Words.quote("add rule %s %s %s".formatted(rule.table(), chain, text)));
        if (!wanted) {
            commands.add("nft delete rule %s %s handle %d".formatted(rule.table(), rule.chain(), rule.handle()));
        }
        return said(rule, Reasons.OUTPUT_AFTER_ROUTING + part, commands.toArray(String[]::new));
    }

    /** The bridge's own chains care for it. */
    private static boolean isFirewalldsCheck(Rule rule) {
        return rule.table().equals("inet firewalld")
                && rule.chain().equals("filter_PREROUTING")
                && rule.text().contains("mark");
    }

    /** It takes over a connection for both ways, whichever of them meets the rule. */
    private void addFlowtable(List<Finding> found, Rule rule) {
        StringBuilder leftOut = new StringBuilder();
        for (boolean inbound : new boolean[] {true, false}) {
            String match = interfaceMatch(inbound, "!= ");
            boolean said = rule.text().contains(match.strip()) || names(inbound ? IN : OUT, rule.text(), true);
            leftOut.append(said ? "" : match);
        }
        if (!leftOut.isEmpty()) {
            found.add(said(rule, Reasons.flowtable(tap), replace(rule, leftOut + rule.text())));
        }
    }

    private Finding reversePath(Rule rule) {
        if (names(IN, rule.text(), false)) {
            return said(rule, Reasons.reversePath(tap));
        }
        return said(rule, Reasons.reversePath(tap), replace(rule, interfaceMatch(true, "!= ") + rule.text()));
    }

    private Set<String> hooks(String table, String chain, Set<String> seen) {
        Set<String> hooks = new HashSet<>();
        for (Chain base : chains) {
            if (base.table().equals(table) && base.name().equals(chain)) {
                hooks.add(base.base().replaceAll(".* hook (\\S+) .*", "$1"));
            }
        }
        Pattern way = Pattern.compile("\\b(jump|goto) " + Pattern.quote(chain) + "(?![\\w-])");
        if (seen.add(chain)) {
            for (Rule rule : rules) {
                if (rule.table().equals(table) && way.matcher(rule.text()).find()) {
                    hooks.addAll(hooks(table, rule.chain(), seen));
                }
            }
        }
        return hooks;
    }

    private boolean isSourceNat(Rule rule) {
        return chains.stream()
                .anyMatch(chain -> chain.table().equals(rule.table())
                        && chain.name().equals(rule.chain())
                        && chain.base().startsWith("type nat "));
    }

    /** Whether an interface is named; if {@code another}, then only others than the bridge's. */
    private boolean names(Pattern device, String text, boolean another) {
        Matcher found = device.matcher(text);
        if (!found.find()) {
            return false;
        }
        String names = found.group("names");
        return !another
                || found.group("not") == null
                        && !names.contains("\"" + tap + "\"")
                        && !names.contains("*")
                        && !names.startsWith("@");
    }

    private static String strip(Pattern device, String text) {
        return device.matcher(text).replaceAll("").strip();
    }

    private String interfaceMatch(boolean inbound, String not) {
        return "%s %s\"%s\" ".formatted(inbound ? "iifname" : "oifname", not, tap);
    }

    private static String insert(Rule rule, String text) {
        return "nft "
                + Words.quote(
                        "insert rule %s %s handle %d %s".formatted(rule.table(), rule.chain(), rule.handle(), text));
    }

    private static String replace(Rule rule, String text) {
        return "nft "
                + Words.quote(
                        "replace rule %s %s handle %d %s".formatted(rule.table(), rule.chain(), rule.handle(), text));
    }

    private static Finding said(Rule rule, String reason, String... commands) {
        return new Finding(show(rule), reason, List.of(commands), List.of(), true);
    }

    private static String show(Rule rule) {
        return "nft: %s %s: %s  (handle %d)".formatted(rule.table(), rule.chain(), rule.text(), rule.handle());
    }
}
