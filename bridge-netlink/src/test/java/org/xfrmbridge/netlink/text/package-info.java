/** Messages as text, for comparing what a kernel sent with what we send. */
package org.xfrmbridge.netlink.text;
