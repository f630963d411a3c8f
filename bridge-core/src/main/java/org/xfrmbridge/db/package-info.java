/** The databases: Sad, Spd, policies of sockets, flow cache. One thread writes, any thread looks up without a lock. */
package org.xfrmbridge.db;
