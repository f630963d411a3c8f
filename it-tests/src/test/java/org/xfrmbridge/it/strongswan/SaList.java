package org.xfrmbridge.it.strongswan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.xfrmbridge.lab.Charon;

/** What {@code swanctl --list-sas --raw} says: the CHILD_SAs of all IKE_SAs, and the IKE_SAs themselves. */
public record SaList(List<Map<String, String>> ikes, List<ChildSa> children) {
    private static final Pattern IKE = Pattern.compile("list-sa event \\{\\S+ \\{(uniqueid=.*?) child-sas \\{");
    private static final Pattern CHILD = Pattern.compile("\\S+ \\{(name=[^{}]*)}");
    private static final Pattern SETTING = Pattern.compile("([a-z0-9-]+)=(\\[[^]]*]|\\S+)");

    static SaList of(Charon charon) {
        return parse(charon.swanctl("--list-sas", "--raw"));
    }

    /** Ends all IKE_SAs, whether the peer answers or not: what a scenario that failed has left to the next. */
    public static void endAll(Charon charon) {
        for (Map<String, String> ike : of(charon).ikes()) {
            charon.control("--terminate", "--force", "--timeout", "2", "--ike-id", ike.get("uniqueid"))
                    .result();
        }
    }

    static SaList parse(String raw) {
        List<Map<String, String>> ikes = new ArrayList<>();
        for (Matcher ike = IKE.matcher(raw); ike.find(); ) {
            ikes.add(settings(ike.group(1)));
        }
        List<ChildSa> children = new ArrayList<>();
        for (Matcher child = CHILD.matcher(raw); child.find(); ) {
            children.add(new ChildSa(settings(child.group(1))));
        }
        return new SaList(ikes, children);
    }

    private static Map<String, String> settings(String text) {
        Map<String, String> settings = new HashMap<>();
        for (Matcher setting = SETTING.matcher(text); setting.find(); ) {
            settings.put(setting.group(1), setting.group(2));
        }
        return settings;
    }

    /** The installed CHILD_SA of this name; there must be exactly one. */
    ChildSa installed(String name) {
        List<ChildSa> found = children.stream()
                .filter(child -> child.is(name) && child.is("INSTALLED", "state"))
                .toList();
        if (found.size() != 1) {
            throw new AssertionError("not one installed CHILD_SA " + name + " but " + found.size() + " in " + children);
        }
        return found.getFirst();
    }

    /** One CHILD_SA: the fields swanctl gave. */
    record ChildSa(Map<String, String> fields) {
        boolean is(String name) {
            return is(name, "name");
        }

        boolean is(String value, String field) {
            return value.equals(fields.get(field));
        }

        String text(String field) {
            return fields.getOrDefault(field, "");
        }

        long number(String field) {
            return Long.parseLong(fields.getOrDefault(field, "0"));
        }
    }
}
