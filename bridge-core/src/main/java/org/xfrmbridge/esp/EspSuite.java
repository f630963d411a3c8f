package org.xfrmbridge.esp;

import java.util.Arrays;
import java.util.function.Function;
import java.util.function.Supplier;
import org.bouncycastle.crypto.BlockCipher;
import org.bouncycastle.crypto.digests.RIPEMD160Digest;
import org.bouncycastle.crypto.digests.SM3Digest;
import org.bouncycastle.crypto.engines.ARIAEngine;
import org.bouncycastle.crypto.engines.BlowfishEngine;
import org.bouncycastle.crypto.engines.CAST5Engine;
import org.bouncycastle.crypto.engines.CamelliaEngine;
import org.bouncycastle.crypto.engines.DESEngine;
import org.bouncycastle.crypto.engines.DESedeEngine;
import org.bouncycastle.crypto.engines.SM4Engine;
import org.bouncycastle.crypto.engines.SerpentEngine;
import org.bouncycastle.crypto.engines.TwofishEngine;

/**
 * The algorithms and keys of one SA, from which its transforms are made. Made by the control thread when the SA is
 * installed; cheap, as nothing is computed from the keys before a transform meets its first packet.
 */
public final class EspSuite implements Suite {
    private final EspSizes sizes;
    private final Function<EspSetup, EspTransform> make;

    private EspSuite(EspSizes sizes, Function<EspSetup, EspTransform> make) {
        this.sizes = sizes;
        this.make = make;
    }

    /**
     * @param key salt included; stays the caller's, who wipes it when the SA dies
     * @throws IllegalArgumentException where the kernel answers EINVAL
     */
    public static EspSuite aead(AlgorithmEntry algorithm, KeyMaterial key) {
        AlgorithmEntry.Shape shape = algorithm.shape();
        require(algorithm, key, shape.icvBits());
        AeadEsp.Engine engine = aeadEngine(algorithm.name(), shape.icvBits() / 8);
        EspSizes sizes = new EspSizes(shape.ivBytes(), shape.blockBytes(), shape.icvBits() / 8);
        return new EspSuite(sizes, setup -> new AeadEsp(setup, key, shape.saltBytes(), engine));
    }

    /**
     * @param icvBits length of the ICV on the wire, rounded down to whole bytes as the kernel does; 0 stands for the
     *     MAC's default
     * @throws IllegalArgumentException where the kernel answers EINVAL
     */
    public static EspSuite encryptThenMac(
            AlgorithmEntry cipher, KeyMaterial cipherKey, AlgorithmEntry auth, KeyMaterial authKey, int icvBits) {
        require(cipher, cipherKey, 0);
        require(auth, authKey, icvBits);
        Function<KeyMaterial, PacketCipher> ciphers =
                cipher(cipher.name(), cipher.shape().saltBytes());
        Function<byte[], PacketMac> macs = mac(auth.name());
        Supplier<PacketMac> mac = () -> macs.apply(authKey.copy());
        int icvBytes = (icvBits == 0 ? auth.shape().icvBits() : icvBits) / 8;
        EspSizes sizes = new EspSizes(cipher.shape().ivBytes(), cipher.shape().blockBytes(), icvBytes);
        return new EspSuite(sizes, setup -> new EncryptThenMacEsp(setup, () -> ciphers.apply(cipherKey), mac));
    }

    /** Encryption without integrity, which the kernel allows and RFC 8221 forbids. */
    public static EspSuite encryptOnly(AlgorithmEntry cipher, KeyMaterial key) {
        return encryptThenMac(
                cipher,
                key,
                AlgorithmTable.find(AlgorithmKind.AUTH, "digest_null").orElseThrow(),
                KeyMaterial.NONE,
                0);
    }

    public EspSizes sizes() {
        return sizes;
    }

    /**
     * @param spi as a number: 0x12345678 goes out as 12 34 56 78
     * @throws IllegalArgumentException where the kernel answers EINVAL: extended numbers want no ICV or one of at least
     *     4 bytes
     */
    public EspTransform transform(int spi, SequenceWidth width) {
        boolean counterMode = sizes.blockBytes() == 1;
        return transform(spi, width, counterMode ? new CounterIv() : new PermutedCounterIv(sizes.ivBytes()));
    }

    EspTransform transform(int spi, SequenceWidth width, IvSource ivSource) {
        if (width == SequenceWidth.EXTENDED && sizes.icvBytes() > 0 && sizes.icvBytes() < 4) {
            throw new IllegalArgumentException(
                    "an ICV of " + sizes.icvBytes() + " bytes cannot carry extended sequence numbers");
        }
        return make.apply(new EspSetup(sizes, spi, width, ivSource));
    }

    private static void require(AlgorithmEntry algorithm, KeyMaterial key, int icvBits) {
        algorithm.reject(key.lengthBytes() * 8, icvBits).ifPresent(reason -> {
            throw new IllegalArgumentException(reason);
        });
    }

    private static AeadEsp.Engine aeadEngine(String name, int icvBytes) {
        return switch (name) {
            case "rfc4106(gcm(aes))" ->
                icvBytes < 12
                        ? (key, nonce, aad) -> new BouncyGcm(key, icvBytes, nonce, aad)
                        : (key, nonce, aad) -> JceAead.aesGcm(key, icvBytes, nonce, aad);
            case "rfc4309(ccm(aes))" -> (key, nonce, aad) -> new JceCcm(key, icvBytes, nonce, aad);
            case "rfc4543(gcm(aes))" -> JceGmac::new;
            case "rfc7539esp(chacha20,poly1305)" -> JceAead::chacha20Poly1305;
            default -> throw new IllegalArgumentException("no AEAD " + name);
        };
    }

    static Function<KeyMaterial, PacketCipher> cipher(String name, int saltBytes) {
        return switch (name) {
            case "ecb(cipher_null)" -> key -> PacketCipher.NULL;
            case "cbc(aes)" -> key -> JceCipher.aesCbc(key.copy());
            case "rfc3686(ctr(aes))" -> key -> JceCipher.aesCtr(withoutSalt(key, saltBytes), salt(key, saltBytes));
            case "rfc3686(ctr(aria))" ->
                key -> new BouncyCtr(new ARIAEngine(), withoutSalt(key, saltBytes), salt(key, saltBytes));
            case "cbc(serpent)" -> key -> cbc(SerpentEngine::new, serpentKey(key.copy()));
            default -> {
                Supplier<BlockCipher> engine = blockCipher(name);
                yield key -> cbc(engine, key.copy());
            }
        };
    }

    private static Supplier<BlockCipher> blockCipher(String name) {
        return switch (name) {
            case "cbc(des)" -> DESEngine::new;
            case "cbc(des3_ede)" -> DESedeEngine::new;
            case "cbc(cast5)" -> CAST5Engine::new;
            case "cbc(blowfish)" -> BlowfishEngine::new;
            case "cbc(camellia)" -> CamelliaEngine::new;
            case "cbc(aria)" -> ARIAEngine::new;
            case "cbc(twofish)" -> TwofishEngine::new;
            case "cbc(sm4)" -> SM4Engine::new;
            default -> throw new IllegalArgumentException("no cipher " + name);
        };
    }

    static Function<byte[], PacketMac> mac(String name) {
        return switch (name) {
            case "hmac(md5)" -> key -> new JceHmac("HmacMD5", key);
            case "hmac(sha1)" -> key -> new JceHmac("HmacSHA1", key);
            case "hmac(sha256)" -> key -> new JceHmac("HmacSHA256", key);
            case "hmac(sha384)" -> key -> new JceHmac("HmacSHA384", key);
            case "hmac(sha512)" -> key -> new JceHmac("HmacSHA512", key);
            case "hmac(rmd160)" -> key -> new BouncyHmac(new RIPEMD160Digest(), key);
            case "hmac(sm3)" -> key -> new BouncyHmac(new SM3Digest(), key);
            case "xcbc(aes)" -> CbcMac::xcbc;
            case "cmac(aes)" -> CbcMac::cmac;
            case "digest_null" -> key -> null;
            default -> throw new IllegalArgumentException("no MAC " + name);
        };
    }

    private static PacketCipher cbc(Supplier<BlockCipher> engine, byte[] key) {
        return new BouncyCbc(engine.get(), engine.get(), key);
    }

    private static byte[] withoutSalt(KeyMaterial key, int saltBytes) {
        return key.copy(0, key.lengthBytes() - saltBytes);
    }

    private static byte[] salt(KeyMaterial key, int saltBytes) {
        return key.copy(key.lengthBytes() - saltBytes, key.lengthBytes());
    }

    /**
     * Serpent's own key padding, a 1 and zeros up to 32 bytes: Bouncy Castle does it only for lengths that are
     * multiples of 4.
     */
    private static byte[] serpentKey(byte[] key) {
        byte[] padded = Arrays.copyOf(key, 32);
        if (key.length < 32) {
            padded[key.length] = 1;
        }
        Arrays.fill(key, (byte) 0);
        return padded;
    }
}
