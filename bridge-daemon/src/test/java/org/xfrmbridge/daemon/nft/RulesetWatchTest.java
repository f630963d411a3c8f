package org.xfrmbridge.daemon.nft;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.os.OsException;

@Timeout(60)
class RulesetWatchTest {
    private static final class Counting extends RulesetWatch {
        private final AtomicInteger changes = new AtomicInteger();

        Counting() throws OsException {
            super();
        }

        @Override
        protected void changed() {
            changes.incrementAndGet();
        }
    }

    @Test
    void shouldTellOnceOfAllThatCameMeanwhile() throws Exception {
        try (TestNetwork network = new TestNetwork();
                Counting watch = network.inHere(Counting::new)) {
            watch.handleEvents();
            assertEquals(0, watch.changes.get());
            network.exec("nft add table ip other");
            network.exec("nft add chain ip other c {type nat hook postrouting priority 100;}");
            watch.handleEvents();
            watch.handleEvents();
            assertEquals(1, watch.changes.get());
        }
    }
}
