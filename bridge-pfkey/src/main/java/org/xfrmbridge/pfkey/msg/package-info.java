/** One record for each structure of linux/pfkeyv2.h, in native order, without the extension's header. */
package org.xfrmbridge.pfkey.msg;
