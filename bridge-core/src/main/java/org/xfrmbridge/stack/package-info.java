/** Databases, control side and datapath, put together. */
package org.xfrmbridge.stack;
