package org.xfrmbridge.daemon.top;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.xfrmbridge.daemon.figures.Figures;
import org.xfrmbridge.daemon.figures.FiguresText;
import org.xfrmbridge.daemon.figures.FlowsReport;
import org.xfrmbridge.daemon.figures.FlowsText;
import org.xfrmbridge.daemon.figures.Rates;
import org.xfrmbridge.daemon.figures.Table;

/** What is on the screen: which list, in which order, from which line on. One thread. */
final class TopView {
    static final String KEYS = "1 SAs  2 policies  3 drops  4 flows  s order  r reverse  space/b page  q end";

    /** Lists that fill the screen below the summary, by their key. */
    private enum Shown {
        SAS,
        POLICIES,
        DROPS,
        FLOWS
    }

    /** @param before the figures shown last, null for none */
    record Look(Figures before, Figures now, FlowsReport flows) {}

    private Shown shown = Shown.SAS;
    private SaOrder order = SaOrder.TRAFFIC;
    private boolean reversed;
    private int page;
    private boolean ended;

    /** Does what a key stands for; any other does nothing. */
    void press(int key) {
        switch (key) {
            case '1' -> show(Shown.SAS);
            case '2' -> show(Shown.POLICIES);
            case '3' -> show(Shown.DROPS);
            case '4' -> show(Shown.FLOWS);
            case 's' -> order = order.next();
            case 'r' -> reversed = !reversed;
            case ' ', 'n' -> page++;
            case 'b', 'p' -> page = Math.max(0, page - 1);
            // With ^C and ^D, which a terminal in raw mode may hand on.
            case 'q', 3, 4 -> ended = true;
            default -> {}
        }
    }

    private void show(Shown list) {
        shown = list;
        page = 0;
    }

    boolean isEnded() {
        return ended;
    }

    /** A screen of so many lines. */
    List<String> lines(Look look, int height) {
        Figures now = look.now();
        Rates rates = new Rates(look.before(), now);
        List<String> lines = new ArrayList<>(summary(rates, now));
        lines.add("");
        List<String> list = list(rates, look);
        int room = Math.max(1, height - lines.size() - 3);
        int pages = Math.max(1, (list.size() - 1 + room - 1) / room);
        page = Math.min(page, pages - 1);
        lines.add("%s, page %d of %d".formatted(title(), page + 1, pages));
        lines.add(list.getFirst());
        lines.addAll(list.subList(1 + page * room, Math.min(list.size(), 1 + (page + 1) * room)));
        while (lines.size() < height - 1) {
            lines.add("");
        }
        lines.add(KEYS);
        return lines;
    }

    private String title() {
        return switch (shown) {
            case SAS -> "SAs by %s%s".formatted(order.label(), reversed ? ", reversed" : "");
            case POLICIES -> "policies by uses";
            case DROPS -> "drops by reason";
            case FLOWS -> "flows by bits a second";
        };
    }

    /** All of it, for scripts. */
    static String whole(Figures before, Figures now, FlowsReport flows) {
        Rates rates = new Rates(before, now);
        List<String> lines = new ArrayList<>(summary(rates, now));
        lines.add("");
        lines.addAll(FiguresText.sas(now.sas(), rates, now.epochSeconds()).lines());
        lines.add(FiguresText.otherSas(now));
        lines.addAll(
                FiguresText.policies(now.policies(), rates, now.epochSeconds()).lines());
        lines.add(FiguresText.otherPolicies(now));
        lines.addAll(drops(rates, now).lines());
        lines.addAll(with(FlowsText.flows(flows).lines(), FlowsText.others(flows)));
        return String.join("\n", lines) + '\n';
    }

    private static List<String> summary(Rates rates, Figures now) {
        return List.of(
                "xfrm-bridge %s, for %s, %s lookups per packet"
                        .formatted(now.place(), FiguresText.time(now.uptimeMs() / 1000), now.lookupsPerPacket()),
                "SAs %s, %d without a successor, %d waited for; policies %s; flows %d out, %d in"
                        .formatted(
                                counts(now.saPhases()),
                                now.withoutSuccessor(),
                                now.openAcquires(),
                                counts(now.policyCounts()),
                                now.outbound().get("flow_entries"),
                                now.inbound().get("flow_entries")),
                "out %7s pkt/s %7s bit/s   in %7s pkt/s %7s bit/s   dropped %s/s, missed %s/s"
                        .formatted(
                                FiguresText.number(rates.outbound("packets")),
                                FiguresText.number(rates.outbound("bytes") * Byte.SIZE),
                                FiguresText.number(rates.inbound("packets")),
                                FiguresText.number(rates.inbound("bytes") * Byte.SIZE),
                                FiguresText.number(rates.outbound("dropped") + rates.inbound("dropped")),
                                FiguresText.number(rates.outbound("missed") + rates.inbound("missed"))),
                "threads "
                        + now.threadCpuSeconds().keySet().stream()
                                .map(thread -> "%s %.0f%%".formatted(thread, 100 * rates.load(thread)))
                                .collect(Collectors.joining("  ")));
    }

    private static String counts(Map<String, Integer> counts) {
        String text = counts.entrySet().stream()
                .filter(each -> each.getValue() > 0)
                .map(each -> each.getValue() + " " + each.getKey().replace('_', ' '))
                .collect(Collectors.joining(", "));
        return text.isEmpty() ? "none" : text;
    }

    private List<String> list(Rates rates, Look look) {
        Figures now = look.now();
        return switch (shown) {
            case SAS -> {
                Comparator<Figures.Sa> comparator = order.comparator(rates);
                List<Figures.Sa> sas = new ArrayList<>(now.sas());
                sas.sort(reversed ? Collections.reverseOrder(comparator) : comparator);
                yield with(FiguresText.sas(sas, rates, now.epochSeconds()).lines(), FiguresText.otherSas(now));
            }
            case POLICIES ->
                with(
                        FiguresText.policies(now.policies(), rates, now.epochSeconds())
                                .lines(),
                        FiguresText.otherPolicies(now));
            case DROPS -> drops(rates, now).lines();
            case FLOWS -> with(FlowsText.flows(look.flows()).lines(), FlowsText.others(look.flows()));
        };
    }

    private static List<String> with(List<String> lines, String last) {
        List<String> all = new ArrayList<>(lines);
        if (!last.isEmpty()) {
            all.add(last);
        }
        return all;
    }

    /** Those that there were. */
    private static Table drops(Rates rates, Figures now) {
        Table table = new Table("REASON", "PACKETS", "PKT/s");
        now.drops().forEach((reason, count) -> {
            if (count > 0) {
                table.add(reason, count, FiguresText.number(rates.drops(reason)));
            }
        });
        return table;
    }
}
