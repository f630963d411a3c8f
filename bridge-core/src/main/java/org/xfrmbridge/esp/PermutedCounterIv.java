package org.xfrmbridge.esp;

import java.util.Arrays;
import org.bouncycastle.crypto.BlockCipher;
import org.bouncycastle.crypto.engines.AESEngine;
import org.bouncycastle.crypto.engines.DESedeEngine;
import org.bouncycastle.crypto.params.KeyParameter;

/**
 * IVs for CBC, which nobody may foretell: a counter encrypted under a random key that lives only here. A block cipher
 * permutes its blocks, so none comes twice. AES for 16-byte blocks, triple DES for 8-byte ones.
 */
final class PermutedCounterIv implements IvSource {
    private final byte[] counter;
    private BlockCipher permutation;

    PermutedCounterIv(int ivBytes) {
        counter = new byte[ivBytes];
    }

    @Override
    public void next(byte[] data, int offset) {
        if (permutation == null) {
            permutation = randomPermutation();
        }
        permutation.processBlock(counter, 0, data, offset);
        for (int i = counter.length - 1; i >= 0 && ++counter[i] == 0; i--) {}
    }

    private BlockCipher randomPermutation() {
        boolean wide = counter.length == 16;
        BlockCipher cipher = wide ? AESEngine.newInstance() : new DESedeEngine();
        byte[] key = new byte[wide ? 16 : 24];
        RANDOM.nextBytes(key);
        cipher.init(true, new KeyParameter(key));
        Arrays.fill(key, (byte) 0);
        return cipher;
    }
}
