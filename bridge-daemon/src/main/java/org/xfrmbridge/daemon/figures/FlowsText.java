package org.xfrmbridge.daemon.figures;

/** {@link FlowsReport} for people. */
public final class FlowsText {
    private FlowsText() {}

    /** Headings and a line for each flow. */
    public static Table flows(FlowsReport report) {
        Table table = new Table(
                "DIR", "PROTO", "SOURCE", "DESTINATION", "VERDICT", "SPI", "REQID", "POLICY", "PKT/s", "BIT/s");
        for (FlowsReport.Use flow : report.flows()) {
            table.add(
                    flow.direction(),
                    flow.protocol(),
                    flow.source(),
                    flow.destination(),
                    flow.verdict(),
                    flow.spi().isEmpty() ? "-" : flow.spi(),
                    flow.spi().isEmpty() ? "-" : flow.reqid(),
                    flow.policy() == 0 ? "-" : flow.policy(),
                    FiguresText.number(flow.packetsPerSecond()),
                    FiguresText.number(flow.bytesPerSecond() * Byte.SIZE));
        }
        return table;
    }

    /** How many are not shown; empty if all are. */
    public static String others(FlowsReport report) {
        return report.otherFlows() == 0 ? "" : "and %d other flows".formatted(report.otherFlows());
    }
}
