package org.xfrmbridge.daemon.figures;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.datapath.PacketLog;
import org.xfrmbridge.datapath.PacketRecord;
import org.xfrmbridge.time.ManualClock;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.State;

class FlowRatesTest {
    private final SampleBridge bridge = new SampleBridge();
    private final ManualClock clock = bridge.clock;
    private final FlowRates rates = new FlowRates(new PacketLog(), clock);

    private static PacketRecord packet(int dport, int bytes, State state) {
        Flow flow = new Flow();
        Address source = Address.parse("10.1.0.1");
        Address destination = Address.parse("10.2.0.1");
        flow.family = AddressFamily.INET;
        flow.saddrHigh = source.high();
        flow.daddrHigh = destination.high();
        flow.protocol = IpProtocol.TCP;
        flow.sport = 40000;
        flow.dport = dport;
        List<PacketRecord.Passage> passages =
                state == null ? List.of() : List.of(new PacketRecord.Passage(state, 1, 0, 0, 0, 0));
        return new PacketRecord(
                0,
                Direction.OUT,
                state == null ? PacketRecord.Outcome.PASSED : PacketRecord.Outcome.PROTECTED,
                null,
                flow,
                bytes,
                0,
                PacketRecord.Decision.CACHED,
                List.of(),
                null,
                passages,
                0,
                0,
                false,
                null,
                1500,
                null,
                null);
    }

    private static FlowsReport.Use use(
            int dport, String verdict, String spi, long reqid, double packets, double bytes) {
        return new FlowsReport.Use(
                "out", "tcp", "10.1.0.1:40000", "10.2.0.1:" + dport, verdict, spi, reqid, 0, packets, bytes);
    }

    @Test
    void shouldTellWhatFlowsByWhatSamplesStandFor() throws Exception {
        State state = bridge.addState(0x100, 0, spec -> {});
        assertEquals(FlowsReport.NONE, FlowsReport.ofJson(rates.toJson()));
        rates.sample(packet(443, 100, state), 10);
        rates.sample(packet(443, 200, state), 2);
        rates.sample(packet(80, 500, null), 1);
        clock.advanceSeconds(2);
        FlowsReport report = FlowsReport.ofJson(rates.toJson());
        assertEquals(
                List.of(use(443, "protected", "0x00000100", 5, 6, 700), use(80, "passed", "", 0, 0.5, 250)),
                report.flows());
        assertEquals(2, report.seconds());
        assertEquals(report, FlowsReport.ofJson(rates.toJson()), "whoever asks within the second");
    }

    @Test
    void shouldCountWhatIsNotShownAndForgetWhenNobodyAsks() throws Exception {
        rates.report();
        for (int dport = 1; dport <= FlowRates.MOST_SHOWN + 3; dport++) {
            rates.sample(packet(dport, dport, null), 1);
        }
        clock.advanceSeconds(1);
        FlowsReport report = rates.report();
        assertEquals(FlowRates.MOST_SHOWN, report.flows().size());
        assertEquals(3, report.otherFlows());
        assertEquals(
                "10.2.0.1:" + (FlowRates.MOST_SHOWN + 3),
                report.flows().getFirst().destination());

        clock.advanceSeconds(11);
        rates.endForgotten();
        assertEquals(FlowsReport.NONE, rates.report());
    }
}
