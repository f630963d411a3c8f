/** Control: every verb of XFRM as one service, its rules and timers, and who hears of changes. */
package org.xfrmbridge.km;
