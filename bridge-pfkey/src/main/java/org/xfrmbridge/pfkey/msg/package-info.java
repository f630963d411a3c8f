/**
 * One record for each structure of linux/pfkeyv2.h, named like it. What they read and write is what follows an
 * extension's header: length and number are {@link org.xfrmbridge.pfkey.sadb.SadbExt}'s. Buffers are in native order
 * and hold enough: {@link org.xfrmbridge.pfkey.sadb.Extensions} has checked.
 */
package org.xfrmbridge.pfkey.msg;
