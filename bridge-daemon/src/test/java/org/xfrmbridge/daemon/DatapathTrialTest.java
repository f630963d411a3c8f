package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.datapath.PathContext.Placement;

class DatapathTrialTest {
    private final DatapathTrial trial = DatapathTrial.begin(Placement.IN_STACK, DatapathTrial.PACKETS_OF_TUNNEL);

    @Test
    @Timeout(600)
    void shouldSendFewBeforeTheBridgeIsReadyAndTheRestAfter() throws InterruptedException {
        trial.awaitFirst();
        assertEquals(DatapathTrial.FIRST_PACKETS, trial.back());
        trial.goOn();
        int all = DatapathTrial.FIRST_PACKETS + 2 * DatapathTrial.PACKETS_OF_TUNNEL;
        while (trial.back() < all) {
            Thread.sleep(10);
        }
        assertEquals(all, trial.back());
    }

    @Test
    void shouldEndBeforeTheRestIsSent() {
        trial.awaitFirst();
        trial.end();
        trial.goOn();
        assertEquals(DatapathTrial.FIRST_PACKETS, trial.back());
    }
}
