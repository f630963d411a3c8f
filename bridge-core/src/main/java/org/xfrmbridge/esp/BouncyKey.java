package org.xfrmbridge.esp;

import java.util.Arrays;
import java.util.function.Consumer;
import org.bouncycastle.crypto.params.KeyParameter;

/** A key on its way into an engine of Bouncy Castle, which copies it once more. */
final class BouncyKey {
    private BouncyKey() {}

    /** @param key wiped, and so is the copy of it that the engine got */
    static void use(byte[] key, Consumer<KeyParameter> engine) {
        KeyParameter parameter = new KeyParameter(key);
        engine.accept(parameter);
        Arrays.fill(parameter.getKey(), (byte) 0);
        Arrays.fill(key, (byte) 0);
    }
}
