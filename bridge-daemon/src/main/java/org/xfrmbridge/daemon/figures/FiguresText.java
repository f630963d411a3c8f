package org.xfrmbridge.daemon.figures;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/** {@link Figures} for people. */
public final class FiguresText {
    private static final String[] UNITS = {"", "k", "M", "G", "T"};
    private static final long DAY_SECONDS = 86_400;

    private FiguresText() {}

    /** Headings and a line for each SA. @param rates since the last time */
    public static Table sas(Collection<Figures.Sa> sas, Rates rates, long nowSeconds) {
        Table table = new Table(
                "DIR",
                "SOURCE",
                "DESTINATION",
                "SPI",
                "REQID",
                "PHASE",
                "AGE",
                "LEFT",
                "USED",
                "PACKETS",
                "BYTES",
                "PKT/s",
                "BIT/s",
                "SEQ",
                "WINDOW",
                "ALGORITHM");
        for (Figures.Sa sa : sas) {
            table.add(
                    sa.direction().isEmpty() ? "-" : sa.direction(),
                    sa.source(),
                    sa.destination(),
                    sa.spi(),
                    sa.reqid(),
                    sa.phase(),
                    time(nowSeconds - sa.addedSeconds()),
                    left(sa.left()),
                    sa.lastUseSeconds() == 0 ? "never" : time(nowSeconds - sa.lastUseSeconds()),
                    number(sa.packets()),
                    number(sa.bytes()),
                    number(rates.packets(sa)),
                    number(rates.bytes(sa) * Byte.SIZE),
                    sa.sequence(),
                    sa.window(),
                    sa.mode()
                            + ' '
                            + sa.protocol()
                            + ' '
                            + sa.algorithm()
                            + (sa.encapsulation().isEmpty() ? "" : " udp " + sa.encapsulation()));
        }
        return table;
    }

    /** Headings and a line for each policy. */
    public static Table policies(Collection<Figures.PolicyUse> policies, Rates rates, long nowSeconds) {
        Table table = new Table("INDEX", "DIR", "PRIORITY", "REQID", "USES", "USES/s", "USED", "ACTION", "SELECTOR");
        for (Figures.PolicyUse policy : policies) {
            table.add(
                    policy.index(),
                    policy.direction(),
                    policy.priority(),
                    policy.reqid(),
                    number(policy.uses()),
                    number(rates.uses(policy)),
                    policy.lastUseSeconds() == 0 ? "never" : time(nowSeconds - policy.lastUseSeconds()),
                    policy.templates() == 0 ? policy.action() : "protect",
                    policy.selector());
        }
        return table;
    }

    /** What of SAs is not shown one by one; empty if there is nothing. */
    public static String otherSas(Figures figures) {
        Figures.OtherSas others = figures.otherSas();
        return others.count() == 0
                ? ""
                : "and %d other SAs: %s packets, %s bytes"
                        .formatted(others.count(), number(others.packets()), number(others.bytes()));
    }

    /** The same of policies. */
    public static String otherPolicies(Figures figures) {
        return figures.otherPolicies() == 0 ? "" : "and %d other policies".formatted(figures.otherPolicies());
    }

    private static String left(Figures.Left left) {
        List<String> parts = new ArrayList<>();
        if (left.seconds() != null) {
            parts.add(time(left.seconds()));
        }
        if (left.packets() != null) {
            parts.add(number(left.packets()) + " pkt");
        }
        if (left.bytes() != null) {
            parts.add(number(left.bytes()) + "B");
        }
        return parts.isEmpty() ? "-" : String.join(" ", parts);
    }

    /** With three digits or four, and a thousand's k, M, G or T. */
    public static String number(double number) {
        double shown = number;
        int unit = 0;
        while (shown >= 10_000 && unit < UNITS.length - 1) {
            shown /= 1000;
            unit++;
        }
        return String.format(
                Locale.ROOT, shown < 10 && shown != Math.rint(shown) ? "%.1f%s" : "%.0f%s", shown, UNITS[unit]);
    }

    /** As seconds, minutes, hours and days, the two largest of them. */
    public static String time(long seconds) {
        long at = Math.max(0, seconds);
        if (at < 60) {
            return at + "s";
        }
        if (at < 3600) {
            return at / 60 + "m" + at % 60 + "s";
        }
        return at < DAY_SECONDS
                ? at / 3600 + "h" + at % 3600 / 60 + "m"
                : at / DAY_SECONDS + "d" + at % DAY_SECONDS / 3600 + "h";
    }
}
