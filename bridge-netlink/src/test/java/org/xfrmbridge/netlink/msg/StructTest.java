package org.xfrmbridge.netlink.msg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Sizes against what the C compiler makes of linux/xfrm.h, and that every byte but padding survives reading and
 * writing.
 */
class StructTest {
    private static final Map<String, Integer> SIZES = sizes();

    private static Map<String, Integer> sizes() {
        Map<String, Integer> sizes = new LinkedHashMap<>();
        sizes.put("struct xfrm_selector", Structs.SELECTOR_BYTES);
        sizes.put("struct xfrm_id", Structs.ID_BYTES);
        sizes.put("struct xfrm_lifetime_cfg", Structs.LIFETIME_CONFIG_BYTES);
        sizes.put("struct xfrm_lifetime_cur", Structs.LIFETIME_CURRENT_BYTES);
        sizes.put("struct xfrm_mark", Structs.MARK_BYTES);
        sizes.put("struct xfrm_encap_tmpl", Structs.ENCAP_BYTES);
        sizes.put("struct xfrm_user_offload", Structs.OFFLOAD_BYTES);
        sizes.put("struct xfrm_user_sec_ctx", Structs.SECURITY_CONTEXT_BYTES);
        sizes.put("struct xfrm_algo", AlgorithmStructs.ALGO_BYTES);
        sizes.put("struct xfrm_algo_auth", AlgorithmStructs.ALGO_ICV_BYTES);
        sizes.put("struct xfrm_algo_aead", AlgorithmStructs.ALGO_ICV_BYTES);
        sizes.put("struct xfrm_replay_state", ReplayStructs.REPLAY_BYTES);
        sizes.put("struct xfrm_replay_state_esn", ReplayStructs.REPLAY_ESN_BYTES);
        sizes.put("struct xfrm_usersa_info", UsersaInfo.BYTES);
        sizes.put("struct xfrm_usersa_id", UsersaId.BYTES);
        sizes.put("struct xfrm_userspi_info", UserspiInfo.BYTES);
        sizes.put("struct xfrm_userpolicy_info", UserpolicyInfo.BYTES);
        sizes.put("struct xfrm_userpolicy_id", UserpolicyId.BYTES);
        sizes.put("struct xfrm_userpolicy_type", XfrmAttribute.POLICY_TYPE_BYTES);
        sizes.put("struct xfrm_userpolicy_default", UserpolicyDefault.BYTES);
        sizes.put("struct xfrm_user_tmpl", UserTmpl.BYTES);
        sizes.put("struct xfrm_user_acquire", UserAcquire.BYTES);
        sizes.put("struct xfrm_user_expire", UserExpire.BYTES);
        sizes.put("struct xfrm_user_polexpire", UserPolexpire.BYTES);
        sizes.put("struct xfrm_user_mapping", UserMapping.BYTES);
        sizes.put("struct xfrm_user_report", UserReport.BYTES);
        sizes.put("struct xfrm_aevent_id", AeventId.BYTES);
        sizes.put("struct xfrm_address_filter", AddressFilter.BYTES);
        sizes.put("struct xfrmu_spdhthresh", XfrmAttribute.SPD_HTHRESH_BYTES);
        sizes.put("struct xfrm_user_migrate", 76);
        sizes.put("struct xfrm_user_kmaddress", 40);
        return sizes;
    }

    @Test
    void shouldHaveTheSizesOfTheSystemsHeader(@TempDir Path directory) throws IOException, InterruptedException {
        assumeTrue(Files.exists(Path.of("/usr/include/linux/xfrm.h")), "linux/xfrm.h is not installed");
        StringBuilder source = new StringBuilder("#include <linux/xfrm.h>\n#include <stdio.h>\nint main(void) {\n");
        StringBuilder expected = new StringBuilder();
        SIZES.forEach((name, bytes) -> {
            source.append("printf(\"%s %%zu\\n\", sizeof(%s));\n".formatted(name, name));
            expected.append(name).append(' ').append(bytes).append('\n');
        });
        Path program = directory.resolve("sizes");
        Path code = Files.writeString(directory.resolve("sizes.c"), source.append("return 0; }\n"));
        assumeTrue(compiles(code, program), "no C compiler");

        Process process = new ProcessBuilder(program.toString()).start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);

        assertEquals(expected.toString(), printed);
    }

    private static boolean compiles(Path source, Path program) throws InterruptedException {
        try {
            Process compiler = new ProcessBuilder("cc", "-o", program.toString(), source.toString())
                    .inheritIO()
                    .start();
            return compiler.waitFor(60, TimeUnit.SECONDS) && compiler.exitValue() == 0;
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void shouldWriteWhatItReadAndZeroPadding() {
        assertRoundTrip(UsersaInfo.BYTES, 13, buffer -> UsersaInfo.read(buffer).write(buffer.rewind()));
        assertRoundTrip(UsersaId.BYTES, 1, buffer -> UsersaId.read(buffer).write(buffer.rewind()));
        assertRoundTrip(
                UserspiInfo.BYTES, 13, buffer -> UserspiInfo.read(buffer).write(buffer.rewind()));
        assertRoundTrip(
                UserpolicyInfo.BYTES, 7, buffer -> UserpolicyInfo.read(buffer).write(buffer.rewind()));
        assertRoundTrip(
                UserpolicyId.BYTES, 6, buffer -> UserpolicyId.read(buffer).write(buffer.rewind()));
        assertRoundTrip(UserTmpl.BYTES, 6, buffer -> UserTmpl.read(buffer).write(buffer.rewind()));
        assertRoundTrip(
                UserAcquire.BYTES, 13, buffer -> UserAcquire.read(buffer).write(buffer.rewind()));
        assertRoundTrip(UserExpire.BYTES, 20, buffer -> UserExpire.read(buffer).write(buffer.rewind()));
        assertRoundTrip(
                UserPolexpire.BYTES, 14, buffer -> UserPolexpire.read(buffer).write(buffer.rewind()));
        assertRoundTrip(UserMapping.BYTES, 1, buffer -> UserMapping.read(buffer).write(buffer.rewind()));
        assertRoundTrip(UserReport.BYTES, 6, buffer -> UserReport.read(buffer).write(buffer.rewind()));
        assertRoundTrip(AeventId.BYTES, 1, buffer -> AeventId.read(buffer).write(buffer.rewind()));
        assertRoundTrip(
                AddressFilter.BYTES, 0, buffer -> AddressFilter.read(buffer).write(buffer.rewind()));
        assertRoundTrip(
                Structs.ENCAP_BYTES,
                2,
                buffer -> Structs.writeEncapsulation(
                        buffer, Structs.readEncapsulation(buffer.duplicate().order(buffer.order()))));
    }

    /**
     * Reads 0xff everywhere and random bytes: all that comes back otherwise must be padding, of the size the structure
     * has.
     */
    private static void assertRoundTrip(int bytes, int paddingBytes, Consumer<ByteBuffer> readAndWrite) {
        byte[] ones = new byte[bytes];
        Arrays.fill(ones, (byte) 0xff);
        byte[] random = new byte[bytes];
        new Random(bytes).nextBytes(random);
        byte[] back = through(ones, readAndWrite);
        byte[] randomBack = through(random, readAndWrite);
        int zeroed = 0;
        for (int i = 0; i < bytes; i++) {
            boolean padding = back[i] == 0;
            zeroed += padding ? 1 : 0;
            assertTrue(padding || back[i] == ones[i], "byte " + i);
            assertEquals(padding ? 0 : random[i], randomBack[i], "byte " + i);
        }
        assertEquals(paddingBytes, zeroed);
    }

    private static byte[] through(byte[] bytes, Consumer<ByteBuffer> readAndWrite) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes.clone()).order(ByteOrder.nativeOrder());
        readAndWrite.accept(buffer);
        assertEquals(bytes.length, buffer.position());
        return buffer.array();
    }
}
