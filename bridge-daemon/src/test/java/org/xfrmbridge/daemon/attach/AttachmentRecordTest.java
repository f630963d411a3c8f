package org.xfrmbridge.daemon.attach;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xfrmbridge.daemon.route.IpConfiguration;
import org.xfrmbridge.daemon.route.Link;
import org.xfrmbridge.daemon.route.RouteMessage;

class AttachmentRecordTest {
    @TempDir
    private Path directory;

    private static WireRecord journal() {
        Link original = new Link(7, "eth0", 0x02fc_0000_0001L, 1500, 0x1003, 0, null, Link.ETHERNET, 0);
        IpConfiguration configuration = new IpConfiguration(
                List.of(new RouteMessage(RouteMessage.NEW_ADDRESS, new byte[] {2, 24, (byte) 0x80, 0})),
                List.of(
                        new RouteMessage(RouteMessage.NEW_ROUTE, new byte[] {1}),
                        new RouteMessage(RouteMessage.NEW_ROUTE, new byte[] {2})),
                List.of());
        return new WireRecord(
                new NamespaceId("5a1b0c2d-0000-4000-8000-000000000000", -1),
                DeviceNames.of("eth0", "xfrm0"),
                WireRecord.Phase.MOVING,
                original,
                configuration,
                List.of(),
                true);
    }

    @Test
    void shouldReadWhatWasWritten() throws IOException {
        journal().in(WireRecord.Phase.ATTACHED).write(directory);
        WireRecord read = (WireRecord) AttachmentRecord.read(directory);
        assertEquals(WireRecord.Phase.ATTACHED, read.phase());
        assertEquals(journal().namespaceId(), read.namespaceId());
        assertEquals(journal().names(), read.names());
        assertEquals(journal().original(), read.original());
        assertArrayEquals(
                journal().configuration().addresses().getFirst().payload(),
                read.configuration().addresses().getFirst().payload());
        assertEquals(2, read.configuration().routes().size());
        assertArrayEquals(
                new byte[] {2}, read.configuration().routes().getLast().payload());
        assertEquals(List.of(), read.configuration().neighbours());
        assertTrue(read.mergesDatagrams());
    }

    @Test
    void shouldFindNothingWhenThereIsNone() throws IOException {
        assertNull(AttachmentRecord.read(directory));
        journal().write(directory);
        AttachmentRecord.delete(directory);
        assertNull(AttachmentRecord.read(directory));
    }

    @Test
    void shouldRefuseWhenItIsDamaged() throws IOException {
        journal().write(directory);
        Path file = directory.resolve("attachment.journal");
        Files.writeString(file, Files.readString(file).replace("original.mac=2fc00000001", "original.mac=zz"));
        assertThrows(IOException.class, () -> AttachmentRecord.read(directory));
        Files.writeString(file, "original=eth0\n");
        assertThrows(IOException.class, () -> AttachmentRecord.read(directory));
    }
}
