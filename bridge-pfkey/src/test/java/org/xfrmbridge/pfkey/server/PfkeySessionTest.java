package org.xfrmbridge.pfkey.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.pfkey.sadb.SadbMessage;

class PfkeySessionTest {
    private static final SadbMessage REGISTER = new SadbMessage(2, 7, 0, 3, 2, 0, 11, 4711);
    private static final int EOPNOTSUPP = 95;
    private static final int EINVAL = 22;

    private final List<SadbMessage> answers = new ArrayList<>();
    private boolean full;
    private final PfkeySession session = new PfkeySession(this::send);

    private boolean send(ByteBuffer datagram) {
        if (!full) {
            answers.add(SadbMessage.read(datagram));
        }
        return !full;
    }

    private void receive(SadbMessage header, int messageBytes) {
        session.receive(ByteBuffer.allocate(messageBytes).put(header.toBytes()).rewind());
    }

    @Test
    void shouldSayThatTheOperationIsMissingWhenTheMessageIsWellFormed() {
        receive(REGISTER, 16);

        assertEquals(List.of(new SadbMessage(2, 7, EOPNOTSUPP, 3, 2, 0, 11, 4711)), answers);
    }

    @Test
    void shouldRefuseWhenLengthVersionOrTypeIsWrong() {
        receive(REGISTER, 24);
        receive(new SadbMessage(1, 7, 0, 3, 2, 0, 1, 1), 16);
        receive(new SadbMessage(2, 0, 0, 3, 2, 0, 1, 1), 16);
        receive(new SadbMessage(2, 25, 0, 3, 2, 0, 1, 1), 16);
        receive(new SadbMessage(2, 7, 0, 3, 2, 9, 1, 1), 16);

        assertEquals(List.of(EINVAL, EINVAL, EINVAL, EINVAL, EINVAL), answers.stream().map(SadbMessage::errno).toList());
    }

    @Test
    void shouldKeepTheAnswerUntilTheClientReads() {
        full = true;
        receive(REGISTER, 16);
        assertTrue(session.hasBacklog());

        full = false;
        session.writable();

        assertEquals(1, answers.size());
        assertFalse(session.hasBacklog());
    }

    @Test
    void shouldStayQuietWhenThereIsNoHeaderToAnswer() {
        session.receive(ByteBuffer.allocate(0));
        session.receive(ByteBuffer.allocate(15));
        session.receive(ByteBuffer.wrap(new ControlFrame(ControlFrame.JOIN, 1, 0).toBytes()));

        assertEquals(List.of(), answers);
    }

    @Test
    void shouldNeverThrowWhenFedRandomBytes() {
        Random random = new Random(20);
        for (int i = 0; i < 10_000; i++) {
            byte[] bytes = new byte[random.nextInt(40)];
            random.nextBytes(bytes);
            session.receive(ByteBuffer.wrap(bytes));
        }
    }
}
