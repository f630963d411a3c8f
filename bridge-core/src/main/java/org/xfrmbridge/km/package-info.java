/** Control: every verb of XFRM as one service, and who hears of changes. */
package org.xfrmbridge.km;
