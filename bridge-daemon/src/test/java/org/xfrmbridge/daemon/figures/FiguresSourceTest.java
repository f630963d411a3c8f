package org.xfrmbridge.daemon.figures;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateKey;

class FiguresSourceTest {
    private final SampleBridge bridge = new SampleBridge();

    @Test
    void shouldShowTheSaThatHasCarriedMostFirst() throws Exception {
        bridge.addState(0x100, 1, spec -> {});
        bridge.addState(0x101, 7, spec -> {});
        bridge.addState(0x102, 3, spec -> {});
        List<Figures.Sa> sas = bridge.source.take().sas();
        assertEquals(
                List.of("0x00000101", "0x00000102", "0x00000100"),
                sas.stream().map(Figures.Sa::spi).toList());
        assertEquals(700, sas.getFirst().bytes());
        assertEquals(7, sas.getFirst().packets());
    }

    @Test
    void shouldAddUpWhatIsNotShown() throws Exception {
        for (int spi = 0x100; spi < 0x100 + FiguresSource.MOST_SHOWN + 10; spi++) {
            bridge.addState(spi, 1, spec -> {});
        }
        bridge.addState(0x1000, 2, spec -> {});
        Figures figures = bridge.source.take();
        assertEquals(FiguresSource.MOST_SHOWN, figures.sas().size());
        assertEquals("0x00001000", figures.sas().getFirst().spi());
        assertEquals(new Figures.OtherSas(11, 1100, 11), figures.otherSas());
    }

    @Test
    void shouldGoOnAddingUpATunnelThatIsRekeyed() throws Exception {
        State old = bridge.addState(0x100, 5, spec -> {});
        bridge.addState(0x101, 2, spec -> {});
        bridge.addState(0x200, 1, spec -> spec.reqid(6));
        bridge.engine.deleteState(new StateKey(old.id(), AddressFamily.INET, Mark.NONE, null), Origin.KERNEL);
        assertEquals(
                List.of(
                        new Figures.Tunnel("192.0.2.1", "192.0.2.2", "esp", 5, 1, 700, 7),
                        new Figures.Tunnel("192.0.2.1", "192.0.2.2", "esp", 6, 1, 100, 1)),
                bridge.source.take().tunnels());
        bridge.engine.flushStates(IpProtocol.ANY, Origin.KERNEL);
        assertEquals(
                new Figures.Tunnel("192.0.2.1", "192.0.2.2", "esp", 5, 0, 700, 7),
                bridge.source.take().tunnels().getFirst());
    }

    @Test
    void shouldTellWhatIsLeftOfLimits() throws Exception {
        Lifetime limits = Lifetime.builder()
                .hardAddSeconds(3600)
                .hardUseSeconds(1200)
                .hardPackets(10)
                .build();
        bridge.addState(
                0x100,
                4,
                spec -> spec.lifetime(limits)
                        .encapsulation(new Encapsulation(Encapsulation.UDP_ENCAP_ESPINUDP, 4500, 4501, null)));
        bridge.clock.advanceSeconds(1000);
        Figures.Sa sa = bridge.source.take().sas().getFirst();
        assertEquals(new Figures.Left(null, 6L, 200L), sa.left());
        assertEquals("4500->4501", sa.encapsulation());
        assertEquals("rfc4106(gcm(aes))", sa.algorithm());
    }

    @Test
    void shouldCountSasThatEndWithoutASuccessor() throws Exception {
        State old = bridge.addState(0x100, 1, spec -> {});
        old.setDying(true);
        bridge.addState(0x200, 1, spec -> spec.reqid(6));
        assertEquals(1, bridge.source.take().withoutSuccessor());
        assertEquals(1, bridge.source.take().saPhases().get("dying"));
        bridge.addState(0x101, 0, spec -> {});
        assertEquals(0, bridge.source.take().withoutSuccessor());
    }

    @Test
    void shouldShowThePolicyThatWasUsedMostFirst() throws Exception {
        bridge.addPolicy("10.1.0.0/16", "10.2.0.0/16", 2);
        bridge.addPolicy("10.1.0.0/16", "10.3.0.0/16", 5);
        Figures.PolicyUse first = bridge.source.take().policies().getFirst();
        assertEquals("10.1.0.0/16 -> 10.3.0.0/16", first.selector());
        assertEquals(5, first.uses());
        assertEquals(5, first.reqid());
    }

    @Test
    void shouldComeBackFromJsonWithoutAKey() throws Exception {
        bridge.addState(0x100, 1, spec -> {});
        bridge.addPolicy("10.1.0.0/16", "10.2.0.0/16", 2);
        Figures figures = bridge.source.take();
        String json = figures.toJson();
        assertEquals(figures, Figures.ofJson(json));
        assertFalse(json.contains(SampleBridge.KEY), json);
        assertTrue(figures.threadCpuSeconds().containsKey("jvm"), json);
    }

    @Test
    void shouldTellRatesOfWhatWasCountedMeanwhile() throws Exception {
        State state = bridge.addState(0x100, 1, spec -> {});
        Figures before = bridge.source.take();
        bridge.clock.advanceSeconds(2);
        state.count(500, 0);
        Figures now = bridge.source.take();
        Rates rates = new Rates(before, now);
        assertEquals(250, rates.bytes(now.sas().getFirst()));
        assertEquals(0.5, rates.packets(now.sas().getFirst()));
        assertEquals(0, new Rates(null, now).bytes(now.sas().getFirst()));
    }

    @Test
    void shouldAlignTheTableOfSas() throws Exception {
        bridge.addState(0x100, 1, spec -> {});
        bridge.addState(0x101, 1234, spec -> spec.reqid(70));
        Figures figures = bridge.source.take();
        List<String> lines = FiguresText.sas(figures.sas(), new Rates(null, figures), figures.epochSeconds())
                .lines();
        assertEquals(3, lines.size());
        int column = lines.getFirst().indexOf("PACKETS");
        assertEquals("   1234", lines.get(1).substring(column, column + 7));
        assertEquals("      1", lines.get(2).substring(column, column + 7));
    }
}
