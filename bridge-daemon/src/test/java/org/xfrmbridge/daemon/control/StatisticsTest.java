package org.xfrmbridge.daemon.control;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.xfrmbridge.daemon.os.SystemClock;
import org.xfrmbridge.datapath.XfrmStats;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.km.XfrmEngine;

class StatisticsTest {
    @Test
    void shouldEscapeNamesWhenTheyHaveQuotes() {
        SystemClock clock = new SystemClock();
        XfrmEngine engine = XfrmEngine.builder(new Databases(), clock).build();
        String json = new Statistics("a\"b", () -> "none", engine, new XfrmStats(), clock).toJson();
        assertTrue(json.contains("\"place\": \"a\\\"b\",\n"), json);
    }
}
