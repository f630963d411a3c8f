/**
 * PF_KEY through the preload library: a client of our own in C that speaks the sequences of racoon and setkey, on a
 * kernel and on a bridge.
 */
package org.xfrmbridge.it.pfkey;
